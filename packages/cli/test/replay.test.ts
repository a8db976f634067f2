import { Rate, slidingWindowLog, tokenBucket } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyTable } from "../src/log/key-table.js";
import { Requests } from "../src/log/requests.js";
import { BusiestMinutes } from "../src/replay/busiest-minutes.js";
import { mostRefused } from "../src/replay/most-refused.js";
import { Replay } from "../src/replay/replay.js";

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;

/** Replays requests of one key at these seconds. */
function replay(seconds: readonly number[], algorithm = slidingWindowLog, rate = Rate.parse("2/10s")): Replay {
  const keys = new KeyTable();
  const requests = new Requests(1);
  for (const second of seconds) requests.add(second * SECOND, keys.idOf("a"));
  const run = new Replay([{ rate, burst: undefined }], algorithm, keys);
  run.run(requests);
  return run;
}

describe("Replay", () => {
  test("decides at the times of the requests: a window is half-open", () => {
    const run = replay([0, 0, 9.999999, 10, 10, 10]);
    expect([run.requests, run.refused, run.from, run.to]).toEqual([6, 2, 0, 10 * SECOND]);
  });

  test("decides by the algorithm that was chosen", () => {
    const times = [0, 0, 5, 5, 10];
    expect(replay(times).refused).toBe(2);
    expect(replay(times, tokenBucket).refused).toBe(1);
  });

  test("counts requests and refusals of each key, whatever order the keys were met in", () => {
    const keys = new KeyTable();
    const [a, b] = [keys.idOf("a"), keys.idOf("b")];
    const requests = new Requests(1);
    for (const key of [b, b, a, b, b]) requests.add(SECOND, key);
    const run = new Replay([{ rate: Rate.parse("2/s"), burst: undefined }], slidingWindowLog, keys);
    run.run(requests);
    expect([...run.counts()]).toEqual([
      { key: "a", refused: 0, requests: 1 },
      { key: "b", refused: 2, requests: 4 },
    ]);
    expect(run.smallestLimits()).toEqual([{ refusingNobody: 4, refusingOnePercent: 4, refusingOnePerMille: 4 }]);
  });
});

describe("BusiestMinutes", () => {
  test("finds the minutes with the most requests, the earlier of equals first", () => {
    const gaps = fc.array(fc.nat(3), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 6 }), (gaps, count) => {
        let number = 0;
        const minutes = gaps.map((gap) => (number += Math.max(0, gap - 2)));
        const busiest = new BusiestMinutes(count);
        for (const minute of minutes) busiest.add(minute * MINUTE, minute % 2 === 1);
        const expected = [...new Set(minutes)].map((number) => {
          const requests = minutes.filter((other) => other === number).length;
          return { number, requests, refused: number % 2 === 1 ? requests : 0 };
        });
        expected.sort((a, b) => b.requests - a.requests || a.number - b.number);
        expect(busiest.list()).toEqual(expected.slice(0, count));
      }),
    );
  });

  test("a minute ends before its sixtieth second", () => {
    const busiest = new BusiestMinutes(5);
    for (const time of [0, MINUTE - 1, MINUTE]) busiest.add(time, false);
    expect(busiest.list().map(({ number, requests }) => [number, requests])).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });
});

describe("mostRefused()", () => {
  test("lists the keys refused most; of equals the one that came more often, then by name", () => {
    const counts = [
      { key: "never", refused: 0, requests: 99 },
      { key: "c", refused: 2, requests: 5 },
      { key: "b", refused: 2, requests: 5 },
      { key: "more", refused: 2, requests: 9 },
      { key: "most", refused: 3, requests: 3 },
    ];
    const { keysRefused, top } = mostRefused(counts, 3);
    expect(keysRefused).toBe(4);
    expect(top.map(({ key }) => key)).toEqual(["most", "more", "b"]);
  });
});
