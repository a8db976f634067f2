import { Requests } from "./requests.js";

/**
 * Gives the requests back in the order of their times; those of one instant stay as they were.
 *
 * Made for logs, which are nearly in order: the few requests that are earlier than one before
 * them are sorted, and then merged with all others.
 */
export function sortByTime(requests: Requests): Requests {
  const displaced = displacedIn(requests);
  if (displaced.length === 0) return requests;
  const { times, keys, size } = requests;
  displaced.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const sorted = new Requests(size);
  let next = 0;
  const addBefore = (time: number) => {
    for (; next < displaced.length; next++) {
      const index = displaced[next] as number;
      // One of the same instant stands further down the list, or it would not be displaced.
      if ((times[index] as number) >= time) return;
      sorted.add(times[index] as number, keys[index] as number);
    }
  };
  let newest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    const time = times[i] as number;
    if (time < newest) continue;
    newest = time;
    addBefore(time);
    sorted.add(time, keys[i] as number);
  }
  addBefore(Number.POSITIVE_INFINITY);
  return sorted;
}

/** The places of the requests that are earlier than one before them. */
function displacedIn({ times, size }: Requests): number[] {
  const displaced: number[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    const time = times[i] as number;
    if (time < newest) displaced.push(i);
    else newest = time;
  }
  return displaced;
}
