/**
 * What a rate limiter says to one request.
 *
 * @module
 */
import type { Answer, AnswerBody, Field } from "../answer/answer.js";
import type { PolicyDecision } from "../answer/policy-terms.js";

/** What both verdicts hold. */
interface Judged {
  /** What the policies decided, those included that only look on; none for a request that was skipped. */
  readonly decisions: readonly PolicyDecision[];
  /** Header fields for the answer, whichever it will be. */
  readonly fields: readonly Field[];
  /** True where a store failed, or another stood in for it. */
  readonly degraded: boolean;
}

/** The request is to be served, and `fields` set on the answer. */
export interface Admitted extends Judged {
  /** The request is to be served. */
  readonly allowed: true;
  /** There is nothing to wait for. */
  readonly retryAfter: 0;
  /** Whoever serves the request chooses. */
  readonly status: undefined;
  /** Whoever serves the request writes it. */
  readonly body: undefined;
}

/** The request is not to be served: `status`, `fields` and `body` are the answer. */
export interface Refused extends Judged, Answer {
  /** The request is not to be served. */
  readonly allowed: false;
  /** Milliseconds until all policies would admit this request; `Infinity` where none ever will. */
  readonly retryAfter: number;
  /** 429; 503 where a store failed and requests are then to be refused. */
  readonly status: 429 | 503;
  /** The body, with its media type. */
  readonly body: AnswerBody;
}

/** What a {@link RateLimiter} says to one request. */
export type Verdict = Admitted | Refused;
