/** One client in one window. */
interface Count {
  hits: number;
  end: number;
}

/** Milliseconds. */
const WINDOW = 60_000;

/**
 * The least that a middleware can do: counts in a `Map`, in windows of a minute that are
 * never swept. Whoever calls it sets two fields.
 *
 * @returns How many more the client may ask; below 0, this one is refused.
 */
export function countByHand(limit: number): (client: string) => number {
  const counts = new Map<string, Count>();
  return (client) => {
    const now = Date.now();
    let count = counts.get(client);
    if (count === undefined || now > count.end) {
      count = { hits: 0, end: now + WINDOW };
      counts.set(client, count);
    }
    return limit - ++count.hits;
  };
}
