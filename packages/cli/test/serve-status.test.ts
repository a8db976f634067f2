import { PassThrough } from "node:stream";
import { ManualClock } from "@sluice/core";
import { Gate, RateLimiter, RequestQueue } from "@sluice/http";
import { describe, expect, test } from "vitest";
import { showStatus } from "../src/serve/status.js";

const request = { headers: {}, socket: { remoteAddress: "192.0.2.1" } };

/** A gate for two at a time and three at all, a clock, and where the status is shown. */
function given(isTTY: boolean) {
  const clock = new ManualClock(Date.UTC(2024, 4, 17, 12));
  const rateLimit = new RateLimiter({ rate: "3/h burst 3", clock });
  const gate = new Gate({ rateLimit, queue: new RequestQueue({ maxConcurrent: 2, clock }) });
  const stderr = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { clock, gate, stderr, status: showStatus(stderr, gate, clock) };
}

const shown = (stderr: PassThrough) => String(stderr.read() ?? "");

describe("the status of sluice serve", () => {
  test("is a line every ten seconds in which anything came, where nobody watches", async () => {
    const { clock, gate, stderr, status } = given(false);
    clock.advance(10_000);
    expect(shown(stderr)).toBe("");
    const [first, second, third] = [gate.enter(request), gate.enter(request), gate.enter(request)];
    await gate.enter(request);
    clock.advance(10_000);
    expect(shown(stderr)).toBe(
      "2024-05-17T12:00:20.000Z admitted 0.2/s, refused 0.1/s, queued 0.1/s, at work 2, waiting 1\n",
    );
    for (const entered of [first, second, third]) {
      const passage = await entered;
      if (passage.allowed) passage.leave();
    }
    clock.advance(10_000);
    expect(shown(stderr)).toContain("admitted 0.1/s, refused 0.0/s, queued 0.0/s, at work 0, waiting 0");
    clock.advance(10_000);
    status.stop();
    clock.advance(100_000);
    expect(shown(stderr)).toBe("");
  });

  test("is a live line on a terminal, which is taken away at the end", async () => {
    const { clock, gate, stderr, status } = given(true);
    expect(shown(stderr)).toContain("admitted 0.0/s   refused 0.0/s   queued 0.0/s   at work 0   waiting 0");
    const passage = await gate.enter(request);
    clock.advance(1000);
    status.stop();
    expect(shown(stderr)).toContain("admitted 1.0/s");
    clock.advance(100_000);
    expect(shown(stderr)).toBe("");
    if (passage.allowed) passage.leave();
  });
});
