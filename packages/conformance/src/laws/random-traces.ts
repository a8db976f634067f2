import { type Decision, Rate } from "@sluice/core";
import fc from "fast-check";
import { same } from "../check.js";
import type { Law, LawContext } from "../law.js";
import { Model, type ModelDecision } from "../model/model.js";
import { keptTraces, type RandomTrace, randomTraces } from "../random-traces.js";

/** Random histories against the model, and those that once failed before them. */
export const randomHistories: Law = {
  name: "decides random histories as the exact model does",
  async check(context) {
    const { name } = context.algorithm;
    const property = fc.asyncProperty(randomTraces(name), (trace) => compare(context, trace));
    const examples = keptTraces(name).map((trace): [RandomTrace] => [trace]);
    await fc.assert(property, { numRuns: context.runs + examples.length, examples });
  },
};

async function compare({ algorithm, open }: LawContext, { rates, events }: RandomTrace): Promise<void> {
  const plain = rates.map(({ limit, interval, burst }) => new Rate(limit, interval / 1000, burst));
  const { bucket } = await open(plain);
  const twin = await open(plain);
  const big = rates.map(({ limit, interval, burst }) => ({
    limit: BigInt(limit),
    interval: BigInt(interval),
    burst: BigInt(burst),
  }));
  const model = new Model(algorithm.name, big);
  for (const { operation, at, weight } of events) {
    const decision = await bucket[operation]({ key: "ada", weight, timestamp: at / 1000 });
    const expected = plainly(model[operation](BigInt(at), BigInt(weight)));
    const what = `${operation} of ${weight} at ${at} us`;
    same(what, inMicroseconds(decision, bucket.rates.indexOf(decision.rate)), expected);
    // Beside it, the same by the bucket's own clock, and by tryPut, which may take a shorter way.
    twin.clock.set(at / 1000);
    if (operation !== "put") await twin.bucket[operation]({ key: "ada", weight });
    else same(`tryPut, ${what}`, await twin.bucket.tryPut("ada", weight), decision.allowed);
  }
}

function inMicroseconds({ allowed, remaining, retryAfter, resetAfter }: Decision, rate: number) {
  return {
    allowed,
    remaining,
    retryAfter: Math.round(retryAfter * 1000),
    resetAfter: Math.round(resetAfter * 1000),
    rate,
  };
}

function plainly({ allowed, remaining, retryAfter, resetAfter, rate }: ModelDecision) {
  const wait = retryAfter === undefined ? Number.POSITIVE_INFINITY : Number(retryAfter);
  return { allowed, remaining: Number(remaining), retryAfter: wait, resetAfter: Number(resetAfter), rate };
}
