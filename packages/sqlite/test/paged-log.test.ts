import { type Log, Rate, slidingWindowLog } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PAGE, PagedLog, type Pages } from "../src/paged-log.js";

/** Pages in memory, and how often they were read and written. */
class FakeFile implements Pages {
  readonly pages = new Map<number, Uint8Array>();
  row: Uint8Array | undefined;
  reads = 0;
  writes = 0;

  read(page: number): Uint8Array | undefined {
    this.reads++;
    return this.pages.get(page);
  }

  write(page: number, bytes: Uint8Array): void {
    this.writes++;
    this.pages.set(page, bytes.slice());
  }

  drop(first: number, last: number): void {
    for (let page = first; page <= last; page++) this.pages.delete(page);
  }

  /** Does something with the log that was stored last, and stores it. */
  use<T>(work: (log: PagedLog) => T): T {
    const log = new PagedLog(this);
    log.load(this.row);
    const result = work(log);
    this.row = log.bytes().slice();
    return result;
  }
}

function entriesOf(log: Log): number[][] {
  return Array.from({ length: log.size }, (_, i) => [log.time(i), log.total(i)]);
}

type Step = { readonly name: "append" | "dropOldest" | "dropNewest" | "subtract"; readonly share: number };

/** The same step on any log; `share` (0 to 1) says how much of it. */
function apply(log: Log, { name, share }: Step, step: number): void {
  const units = log.total(log.size - 1);
  const index = Math.floor(share * (log.size - 1));
  if (name === "append") log.append(1000 + step, 1 + Math.floor(9 * share));
  else if (name === "dropOldest") log.dropOldest(Math.round(share * log.size));
  else if (name === "dropNewest") log.dropNewest(Math.ceil(share * units));
  else if (log.size > 0) log.subtract(index, Math.ceil(share * (log.total(index) - log.total(index - 1))));
}

describe("PagedLog", () => {
  test("is the log in memory, however long, held or stored and loaded at each step", () => {
    const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
    const step = fc.record({ name: fc.constantFrom("dropOldest", "dropNewest", "subtract"), share });
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * PAGE }), step), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(runs, (history) => {
        const file = new FakeFile();
        const held = new PagedLog(new FakeFile());
        const plain = slidingWindowLog.compile([new Rate(1, 1)]).fresh() as Log;
        let count = 0;
        for (const [appends, last] of history) {
          const appended = Array.from({ length: appends }, (): Step => ({ name: "append", share: (count % 7) / 7 }));
          for (const each of [...appended, last as Step]) {
            count++;
            for (const log of [plain, held]) apply(log, each, count);
            file.use((log) => apply(log, each, count));
          }
          expect(file.use(entriesOf)).toEqual(entriesOf(plain));
          expect(entriesOf(held)).toEqual(entriesOf(plain));
        }
        // Nothing is left behind: pages hold what is in the log, but for the rest of the first.
        expect(file.pages.size).toBeLessThanOrEqual(1 + plain.size / PAGE);
      }),
      { numRuns: 150 },
    );
  });

  test("reads and writes next to nothing at a put, with 100,000 entries", () => {
    const kernel = slidingWindowLog.compile([new Rate(100_000, 100)]);
    const file = new FakeFile();
    // One a microsecond: as many leave as come.
    for (let now = 0; now < 100_000; now++) file.use((log) => kernel.admit(log, now, 1));
    file.reads = 0;
    file.writes = 0;
    for (let now = 100_000; now < 101_000; now++) {
      expect(file.use((log) => kernel.admit(log, now, 1))).toBe(true);
      expect((file.row as Uint8Array).length).toBeLessThan(1000);
    }
    expect(file.reads / 1000).toBeLessThan(3);
    expect(file.writes).toBeLessThan(2 + 1000 / PAGE);
  });

  test("a log of up to a page of entries is one row of 16 bytes an entry", () => {
    const file = new FakeFile();
    for (let i = 0; i < PAGE; i++) file.use((log) => log.append(i, 1));
    expect(file.row).toHaveLength(16 * PAGE);
    expect(file.pages.size).toBe(0);
  });

  test("totals stay exact when more than 2^53 units have passed", () => {
    const file = new FakeFile();
    const weight = 2 ** 45 + 1;
    const kept = 3 * PAGE;
    for (let i = 0; i < 1000; i++) {
      file.use((log) => {
        if (log.size === kept) log.dropOldest(1);
        log.append(i, weight);
      });
    }
    const totals = file.use(entriesOf).map(([, total]) => total);
    expect(totals).toEqual(Array.from({ length: kept }, (_, i) => (i + 1) * weight));
  });

  test("says so when a page is missing", () => {
    const file = new FakeFile();
    for (let i = 0; i < 2 * PAGE; i++) file.use((log) => log.append(i, 1));
    file.pages.clear();
    expect(() => file.use((log) => log.time(0))).toThrow("Cannot read page 1 of a log: it is missing.");
  });
});
