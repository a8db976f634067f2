import type { AbstractBucket, AbstractClock, BucketFactory, Limiter, Mode, RatesLike } from "@sluice/core";
import type { ByAddressOptions, KeyFunction } from "../address/keys.js";
import type { BodyOption } from "../answer/body.js";
import type { FieldsOption } from "../answer/serializers.js";
import type { HttpRequest } from "../http-request.js";

/** How much a client may ask: by a rate, in this process, or by anything that limits. */
export interface LimitOptions<M extends Mode = "sync"> {
  /** Requests a second, or rates such as `"100/min burst 20"`; 100 a second when left out. */
  readonly rate?: number | RatesLike;
  /** Requests at one instant; twice the rate when left out. Only with a rate in requests a second. */
  readonly burst?: number;
  /** What limits instead of a rate: a limiter, a bucket or a bucket factory. It is closed with the rate limiter. */
  readonly limiter?: Limiter<M> | AbstractBucket<M> | BucketFactory<M>;
}

/** What is counted against whom. */
export interface PolicyRules<M extends Mode = "sync", R = HttpRequest> extends LimitOptions<M> {
  /** Whose quota a request is counted against; the client's address when left out. */
  readonly key?: KeyFunction<R>;
  /** Units that a request costs; 1 when left out. What costs 0 is admitted and only learns what is left. */
  readonly cost?: number | ((request: R) => number);
  /** Says that a request is not to be counted, nor refused. */
  readonly skip?: (request: R) => boolean;
  /** Decides and counts, and never refuses; clients are not told. To try limits before they bind. */
  readonly shadow?: boolean;
  /** The plan of a request's client, by its name in `plans`; `undefined` for the limit of the policy itself. */
  readonly plan?: (request: R) => string | undefined;
  /** The limits by plan. */
  readonly plans?: Readonly<Record<string, LimitOptions<M>>>;
}

/** One of several policies. */
export interface PolicyOptions<M extends Mode = "sync", R = HttpRequest> extends PolicyRules<M, R> {
  /** What clients are told that it is called: printable ASCII, and no two the same. */
  readonly name: string;
}

/**
 * What to do when a store fails: let the error through, let requests through, or refuse
 * them with a 503.
 */
export type OnStoreError = "throw" | "open" | "closed";

/** What a {@link RateLimiter} can be told. */
export interface RateLimiterOptions<M extends Mode = "sync", R = HttpRequest>
  extends PolicyRules<M, R>,
    ByAddressOptions {
  /** The name of the one policy; `"default"` when left out. */
  readonly name?: string;
  /** Several policies, which all must admit a request; `key`, `cost` and `shadow` beside them are their defaults. */
  readonly policies?: readonly PolicyOptions<M, R>[];
  /** How many clients are kept in memory, for each limit given as a rate; 100,000 when left out. */
  readonly maxTracked?: number;
  /** How clients are told what is left; `"draft-11"` when left out. */
  readonly fields?: FieldsOption;
  /** The body of a refusal; `"problem"` (application/problem+json) when left out. */
  readonly body?: BodyOption;
  /** What to do when a store fails; `"throw"` when left out. */
  readonly onStoreError?: OnStoreError;
  /** Where limits given as a rate, the sweeps that drop idle clients, and fields that name an instant take the time from. */
  readonly clock?: AbstractClock;
}

/** Checks what to do when a store fails. */
export function checkOnStoreError(option: OnStoreError = "throw"): OnStoreError {
  if (["throw", "open", "closed"].includes(option)) return option;
  throw new RangeError(
    `Cannot meet store errors with ${JSON.stringify(option)}: onStoreError is "throw", "open" or "closed". Leave it out to throw.`,
  );
}
