import { Requests } from "./requests.js";

/** Requests to gather before they are handed on. */
const BATCH = 16_384;

/** One of the lists that are merged: those of its requests that were read, and a way to more. */
interface Source {
  readonly batches: AsyncIterator<Requests>;
  batch: Requests;
  at: number;
}

/**
 * Merges lists of requests, each of them in order, to one that is in order.
 *
 * All lists are open at once and are read only as far as their requests are needed.
 */
export async function* mergeByTime(lists: readonly AsyncIterable<Requests>[]): AsyncGenerator<Requests> {
  const open = lists.map((list): Source => ({ batches: list[Symbol.asyncIterator](), batch: new Requests(1), at: 0 }));
  try {
    let sources = await refill(open);
    while (sources.length > 0) {
      yield merge(sources);
      sources = await refill(sources);
    }
  } finally {
    await Promise.all(open.map(({ batches }) => batches.return?.()));
  }
}

/** Reads on where all requests are used up; gives back the sources that still have some. */
async function refill(sources: readonly Source[]): Promise<Source[]> {
  const left: Source[] = [];
  for (const source of sources) {
    if (await hasMore(source)) left.push(source);
  }
  return left;
}

async function hasMore(source: Source): Promise<boolean> {
  while (source.at === source.batch.size) {
    const step = await source.batches.next();
    if (step.done) return false;
    source.batch = step.value;
    source.at = 0;
  }
  return true;
}

/** Merges until a batch is full or a source has to be read. */
function merge(sources: readonly Source[]): Requests {
  const merged = new Requests(BATCH);
  let isUsedUp = false;
  while (merged.size < BATCH && !isUsedUp) isUsedUp = takeRun(sources, merged);
  return merged;
}

/** Moves the earliest requests, as long as they come from one source; says whether they were its last. */
function takeRun(sources: readonly Source[], merged: Requests): boolean {
  let first = sources[0] as Source;
  let bound = Number.POSITIVE_INFINITY;
  for (const source of sources) {
    if (source === first) continue;
    if (headOf(source) < headOf(first)) {
      bound = headOf(first);
      first = source;
    } else bound = Math.min(bound, headOf(source));
  }
  const { batch, at } = first;
  const end = Math.min(batch.size, at + BATCH - merged.size);
  while (first.at < end && headOf(first) <= bound) first.at++;
  merged.addAll(batch, at, first.at);
  return first.at === batch.size;
}

function headOf({ batch, at }: Source): number {
  return batch.times[at] as number;
}
