/**
 * From verdicts to responses.
 *
 * @module
 */
import type { Answer, Field } from "../answer/answer.js";
import { beside } from "../answer/beside.js";
import type { Verdict } from "../rate-limiter/verdict.js";
import type { NodeResponse } from "./connection.js";

/**
 * Tells a client what is left, or answers it when it is refused.
 *
 * @returns Whether the request is to be served.
 */
export function tell(response: NodeResponse, verdict: Verdict): boolean {
  if (verdict.allowed) setFields(response, verdict.fields);
  else send(response, verdict);
  return verdict.allowed;
}

/** Sets header fields, beside what other limits told. Where the head is sent already, it is too late to tell, and no reason to fail. */
export function setFields(response: NodeResponse, fields: readonly Field[]): void {
  if (response.headersSent) return;
  // Without a pattern, which would iterate over each pair, for each request.
  for (const field of fields) {
    const said = response.getHeader(field[0]);
    response.setHeader(field[0], said === undefined ? field[1] : beside(said, field));
  }
}

/**
 * Sends the answer to a request that is not served.
 *
 * Where the head is sent already, nothing more can be said: what was begun is ended.
 */
export function send(response: NodeResponse, { status, fields, body }: Answer): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.statusCode = status;
  setFields(response, fields);
  response.setHeader("Content-Type", body.type);
  response.end(body.text);
}
