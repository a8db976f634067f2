import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeByTime } from "../src/log/merge-by-time.js";
import { ReorderBuffer } from "../src/log/reorder-buffer.js";
import { Requests } from "../src/log/requests.js";
import { sortByTime } from "../src/log/sort-by-time.js";

type Pair = [time: number, key: number];

function requests(pairs: readonly Pair[]): Requests {
  const list = new Requests(1);
  for (const [time, key] of pairs) list.add(time, key);
  return list;
}

function pairs(...lists: readonly Requests[]): Pair[] {
  return lists.flatMap(({ times, keys, size }) =>
    Array.from({ length: size }, (_, i): Pair => [times[i] as number, keys[i] as number]),
  );
}

/** Pairs of these times, each with its place as its key. */
function numbered(times: readonly number[]): Pair[] {
  return times.map((time, place) => [time, place]);
}

function sorted(list: readonly Pair[]): Pair[] {
  return list.toSorted((a, b) => a[0] - b[0]);
}

/** What a buffer gives back for these times, and what it counts. */
function reordered(times: readonly number[], window: number) {
  const buffer = new ReorderBuffer(window);
  for (const [time, place] of numbered(times)) buffer.add(time, place);
  return { order: pairs(...buffer.take(), ...buffer.end()), outOfOrder: buffer.outOfOrder, late: buffer.late };
}

async function* inBatches(list: readonly Pair[], size: number): AsyncGenerator<Requests> {
  for (let at = 0; at < list.length; at += size) yield requests(list.slice(at, at + size));
}

async function merged(lists: readonly AsyncIterable<Requests>[]): Promise<Pair[]> {
  const batches: Requests[] = [];
  for await (const batch of mergeByTime(lists)) batches.push(batch);
  return pairs(...batches);
}

describe("sortByTime()", () => {
  test("sorts by time and leaves requests of one instant as they were", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        expect(pairs(sortByTime(requests(numbered(times))))).toEqual(sorted(numbered(times)));
      }),
    );
  });
});

describe("ReorderBuffer", () => {
  test("puts requests in order, those of one instant as they stand in the log", () => {
    expect(reordered([5, 3, 5, 4, 9], 10).order).toEqual([
      [3, 1],
      [4, 3],
      [5, 0],
      [5, 2],
      [9, 4],
    ]);
  });

  test("counts a request as out of order when any before it is later, an equal one not", () => {
    expect(reordered([5, 3, 4, 5, 6, 6, 1], 10).outOfOrder).toBe(3);
  });

  test("counts a request as late when it is more than a window behind, and not at the window", () => {
    expect(reordered([100, 90, 89, 100], 10).late).toBe(1);
  });

  test("releases requests before the log ends, in order", () => {
    const times = Array.from({ length: 100_000 }, (_, i) => i + ((i * 7919) % 500));
    const buffer = new ReorderBuffer(1000);
    const released: Requests[] = [];
    for (const [time, place] of numbered(times)) {
      buffer.add(time, place);
      released.push(...buffer.take());
    }
    expect(pairs(...released).length).toBeGreaterThan(80_000);
    expect(pairs(...released, ...buffer.end())).toEqual(sorted(numbered(times)));
  });

  test("a request that has missed its turn counts as made at the time reached", () => {
    const times = Array.from({ length: 100_000 }, (_, i) => i);
    const { order, late } = reordered([...times, 5], 10);
    const reached = order.findIndex(([, place]) => place === 100_000);
    expect(late).toBe(1);
    expect(order.length).toBe(100_001);
    expect(order[reached]?.[0]).toBeGreaterThan(80_000);
    expect(order).toEqual(sorted(order));
  });
});

describe("mergeByTime()", () => {
  test("merges lists in order, whatever their lengths and batches", async () => {
    const list = fc.array(fc.nat(50), { maxLength: 30 }).map((times) => times.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(fc.array(list, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (lists, size) => {
        const found = await merged(
          lists.map((times, i) =>
            inBatches(
              times.map((time) => [time, i]),
              size,
            ),
          ),
        );
        const times = lists.flat().sort((a, b) => a - b);
        expect(found.map(([time]) => time)).toEqual(times);
        for (const [i, own] of lists.entries()) {
          expect(found.filter(([, key]) => key === i).map(([time]) => time)).toEqual(own);
        }
      }),
    );
  });

  test("reads a later log only when the earlier one is used up", async () => {
    const reads: string[] = [];
    async function* log(name: string, start: number): AsyncGenerator<Requests> {
      for (let batch = 0; batch < 3; batch++) {
        reads.push(name);
        yield requests([[start + batch, 0]]);
      }
    }
    await merged([log("new", 100), log("old", 0)]);
    expect(reads).toEqual(["new", "old", "old", "old", "new", "new"]);
  });

  test("lets go of all lists when the reader stops", async () => {
    const closed: number[] = [];
    async function* log(name: number): AsyncGenerator<Requests> {
      try {
        for (let time = 0; ; time++) yield requests([[time, 0]]);
      } finally {
        closed.push(name);
      }
    }
    for await (const _ of mergeByTime([log(1), log(2)])) break;
    expect(closed).toEqual([1, 2]);
  });
});
