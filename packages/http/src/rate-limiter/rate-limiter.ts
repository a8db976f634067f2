/**
 * The rate limiter: from a request to a verdict.
 *
 * @module
 */
import { type Decision, type Limiter, lift, type Mode, type Outcome, StoreError } from "@sluice/core";
import { byAddress } from "../address/keys.js";
import type { Field } from "../answer/answer.js";
import { type BodyWriter, compileBody } from "../answer/body.js";
import type { PolicyDecision } from "../answer/policy-terms.js";
import { overloaded, refuse } from "../answer/refuse.js";
import { compileFields, type Serializer } from "../answer/serializers.js";
import { checkNames } from "../check-names.js";
import type { HttpRequest } from "../http-request.js";
import { compilePolicies } from "./compile-policies.js";
import { atOnce, drive, type Steps } from "./drive.js";
import { Judge, report } from "./judge.js";
import { KNOWN_RATE_LIMITER } from "./known-options.js";
import { memoryBuckets } from "./limit.js";
import type { Counts, RateLimiterMetrics } from "./metrics.js";
import { checkOnStoreError, type OnStoreError, type RateLimiterOptions } from "./options.js";
import type { Policy } from "./policy.js";
import type { Admitted, Refused, Verdict } from "./verdict.js";

/** When to try again where a store failed and requests are refused: nobody knows, and soon is soon enough. */
const STORE_RETRY = 1000;
const SKIPPED: Admitted = admitted([], [], false);

/**
 * Limits how much each client may ask of a server.
 *
 * By default a client is an address, and may ask 100 requests a second and 200 at once,
 * kept in the memory of this process: a new client starts with all of them, an idle one
 * is dropped, and beyond `maxTracked` the coldest makes room. Over a limiter or a bucket
 * that answers by promises, so does {@link RateLimiter.check}.
 *
 * Several policies are asked one after another, and when one refuses, what the earlier ones
 * took is given back. Where they answer by promises it is gone for that while: a parallel
 * request of the same client may be refused for want of it, though never one too many admitted.
 *
 * @example
 * ```ts
 * import { RateLimiter } from "@sluice/http";
 *
 * using limiter = new RateLimiter({ rate: 1, burst: 2 });
 * const request = { headers: {}, socket: { remoteAddress: "203.0.113.7" } };
 * limiter.check(request).fields[1]; // => ["RateLimit", '"default";r=1;t=1']
 * limiter.check(request).allowed; // => true
 * const verdict = limiter.check(request);
 * verdict.status; // => 429
 * verdict.fields[2]; // => ["Retry-After", "1"]
 * ```
 *
 * @example Several policies, which all must admit a request, or none of them counts it
 * ```ts
 * import { byHeader, RateLimiter } from "@sluice/http";
 *
 * using limiter = new RateLimiter({
 *   trustedHosts: ["10.0.0.0/8"],
 *   policies: [
 *     { name: "burst", rate: 10, burst: 20 },
 *     { name: "daily", rate: "1000/day", key: byHeader("x-api-key") },
 *   ],
 * });
 * const { fields } = limiter.check({ headers: { "x-api-key": "ada" }, socket: { remoteAddress: "192.0.2.1" } });
 * fields[0]; // => ["RateLimit-Policy", '"burst";q=20;w=2, "daily";q=1000;w=86400']
 * ```
 */
export class RateLimiter<M extends Mode = "sync", R extends HttpRequest = HttpRequest> {
  /** Whether it answers at once or by promises. */
  readonly mode: M;
  readonly #policies: readonly Policy<R>[];
  /** The one policy of a limiter that answers at once: spares the way through the steps. */
  readonly #only: Policy<R> | undefined;
  readonly #limiters: ReadonlySet<Limiter<Mode>>;
  readonly #hasShadow: boolean;
  readonly #skip: ((request: R) => boolean) | undefined;
  readonly #serialize: Serializer;
  readonly #writeBody: BodyWriter;
  readonly #onStoreError: OnStoreError;
  readonly #now: () => number;
  readonly #counts: Counts = { admitted: 0, refused: 0, shadowed: 0, skipped: 0, storeErrors: 0 };

  /**
   * @throws TypeError or RangeError for options that cannot be: a policy's name that no
   *   field can hold, two of the same name, a rate beside a limiter.
   */
  constructor(options: RateLimiterOptions<M, R> = {}) {
    checkNames(options, KNOWN_RATE_LIMITER);
    const { clock } = options;
    const compiled = compilePolicies<R>(options, byAddress(options));
    this.#policies = compiled.policies;
    this.#skip = compiled.skip;
    this.#limiters = new Set(this.#policies.flatMap((policy) => policy.limiters()));
    this.mode = ([...this.#limiters].some(({ mode }) => mode === "async") ? "async" : "sync") as M;
    this.#only = this.mode === "sync" && this.#policies.length === 1 ? this.#policies[0] : undefined;
    this.#hasShadow = this.#policies.some(({ shadow }) => shadow);
    this.#serialize = compileFields(options.fields);
    this.#writeBody = compileBody(options.body);
    this.#onStoreError = checkOnStoreError(options.onStoreError);
    this.#now = clock === undefined ? Date.now : () => clock.now();
  }

  /**
   * Counts a request, and says whether to serve it.
   *
   * A refusal takes nothing. Only a failing store (see `onStoreError`), a closed limiter,
   * or a function of yours that throws, makes it throw (sync) or reject (async).
   */
  check(request: R): Outcome<M, Verdict> {
    if (this.#only !== undefined) return lift<M, Verdict>(this.mode, this.#checkOnly(this.#only, request));
    return drive<M, Decision, Verdict>(this.mode, this.#checkAll(request));
  }

  /** What was done so far. */
  get metrics(): RateLimiterMetrics {
    let [tracked, evicted] = [0, 0];
    for (const bucket of memoryBuckets(this.#limiters)) {
      tracked += bucket.size;
      evicted += bucket.evictions;
    }
    return { ...this.#counts, tracked, evicted };
  }

  /** Closes the limiters beneath, those included that were passed in. Further calls of it do nothing. */
  close(): Outcome<M, void> {
    const closing = [...this.#limiters].map((limiter) => limiter.close());
    return lift<M, void>(this.mode, this.mode === "sync" ? undefined : Promise.all(closing).then(() => undefined));
  }

  /** Closes the limiter at the end of a `using` block. */
  [Symbol.dispose](this: RateLimiter<"sync", R>): void {
    this.close();
  }

  /** Closes the limiter at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOnly(policy: Policy<R>, request: R): Verdict {
    if (this.#skip?.(request) === true || policy.skips(request)) return this.#skipped();
    const limit = policy.limitOf(request);
    let decision: Decision;
    try {
      decision = atOnce(limit.limiter.consume(policy.key(request), policy.costOf(request)));
    } catch (error) {
      return this.#withoutStore(error, policy.shadow ? "open" : this.#onStoreError);
    }
    return this.#conclude([report(limit, decision, policy.shadow)], decision.allowed || policy.shadow, false);
  }

  *#checkAll(request: R): Steps<Decision, Verdict> {
    if (this.#skip?.(request) === true) return this.#skipped();
    const judge = new Judge<R>(request, this.#onStoreError, this.#counts);
    const asked = yield* judge.ask(this.#policies);
    if (asked.isUnavailable) return this.#unavailable();
    if (asked.isSkipped) return this.#skipped();
    return this.#conclude(asked.decisions, !asked.isRefused, asked.lostStore);
  }

  #conclude(decisions: readonly PolicyDecision[], isAdmitted: boolean, lostStore: boolean): Verdict {
    const degraded = lostStore || decisions.some(({ decision }) => decision.degraded);
    const binding = this.#hasShadow ? decisions.filter(({ shadow }) => !shadow) : decisions;
    const fields = binding.length === 0 ? [] : this.#serialize(binding, this.#now);
    if (!isAdmitted) return this.#refuse(decisions, binding, fields, degraded);
    this.#counts.admitted++;
    if (this.#hasShadow && decisions.some(({ decision }) => !decision.allowed)) this.#counts.shadowed++;
    return admitted(decisions, fields, degraded);
  }

  #refuse(
    decisions: readonly PolicyDecision[],
    binding: readonly PolicyDecision[],
    fields: readonly Field[],
    degraded: boolean,
  ): Refused {
    this.#counts.refused++;
    const refusing = binding.filter(({ decision }) => !decision.allowed);
    const retryAfter = Math.max(...refusing.map(({ decision }) => decision.retryAfter));
    const violated = refusing.map(({ name }) => name);
    const refusal = { status: 429, problem: "quota-exceeded", retryAfter, violated } as const;
    return { allowed: false, retryAfter, decisions, degraded, ...refuse(refusal, this.#writeBody, fields) };
  }

  #withoutStore(error: unknown, onStoreError: OnStoreError): Verdict {
    if (!(error instanceof StoreError)) throw error;
    this.#counts.storeErrors++;
    if (onStoreError === "throw") throw error;
    return onStoreError === "open" ? this.#conclude([], true, true) : this.#unavailable();
  }

  #unavailable(): Refused {
    this.#counts.refused++;
    const answer = overloaded(STORE_RETRY, this.#writeBody);
    return { allowed: false, retryAfter: STORE_RETRY, decisions: [], degraded: true, ...answer };
  }

  #skipped(): Admitted {
    this.#counts.skipped++;
    return SKIPPED;
  }
}

function admitted(decisions: readonly PolicyDecision[], fields: readonly Field[], degraded: boolean): Admitted {
  return { allowed: true, retryAfter: 0, status: undefined, body: undefined, decisions, fields, degraded };
}
