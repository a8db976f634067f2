/**
 * From a refusal to the answer that a client gets.
 *
 * @module
 */
import type { Answer, Field } from "./answer.js";
import type { BodyWriter, Refusal } from "./body.js";
import { ceilSeconds } from "./policy-terms.js";

/** Writes the answer to a refused request, with `Retry-After` behind the fields that tell the limits. */
export function refuse(refusal: Refusal, writeBody: BodyWriter, told: readonly Field[] = []): Answer {
  const wait = retryAfterField(refusal.retryAfter);
  const fields = wait === undefined ? told : [...told, wait];
  return { status: refusal.status, fields, body: writeBody(refusal) };
}

/**
 * Writes the 503 of a server that has too much to do.
 *
 * @param retryAfter Milliseconds after which it is worth trying again.
 * @param told Fields that tell the limits.
 */
export function overloaded(retryAfter: number, writeBody: BodyWriter, told?: readonly Field[]): Answer {
  return refuse({ status: 503, problem: "temporary-reduced-capacity", retryAfter, violated: [] }, writeBody, told);
}

/** `Retry-After` in whole seconds, rounded up and never 0; none where no wait will help. */
export function retryAfterField(retryAfter: number): Field | undefined {
  if (retryAfter === Number.POSITIVE_INFINITY) return undefined;
  return ["Retry-After", String(Math.max(1, ceilSeconds(retryAfter)))];
}
