/**
 * What several policies make of one request: all admit it, or none has taken anything.
 *
 * @module
 */
import { type Decision, StoreError } from "@sluice/core";
import type { PolicyDecision } from "../answer/policy-terms.js";
import type { Steps } from "./drive.js";
import type { Limit } from "./limit.js";
import type { Counts } from "./metrics.js";
import type { OnStoreError } from "./options.js";
import type { Policy } from "./policy.js";

/** What the policies decided. */
export interface Judgement {
  /** What each of them decided; those that skipped the request, or whose store failed, are not among them. */
  readonly decisions: PolicyDecision[];
  /** Whether each policy skipped the request. */
  readonly isSkipped: boolean;
  /** Whether a policy refused, and not only to look on. */
  readonly isRefused: boolean;
  /** Whether a store failed where requests are then to be refused. */
  readonly isUnavailable: boolean;
  /** Whether a store failed, and the others decided without it. */
  readonly lostStore: boolean;
}

/** What a policy is asked for. */
interface Claim {
  readonly limit: Limit;
  readonly key: string | undefined;
  readonly cost: number;
  readonly shadow: boolean;
}

/**
 * Asks the policies one after another. When one refuses, what the earlier ones took is
 * given back, and the later ones are asked without taking, so that the client learns how
 * long all of them together will make it wait.
 */
export class Judge<R> {
  readonly #request: R;
  readonly #onStoreError: OnStoreError;
  readonly #counts: Counts;
  readonly #decisions: PolicyDecision[] = [];
  /** What was taken, and for which of the decisions. */
  readonly #taken: [claim: Claim, index: number][] = [];
  #isSkipped = false;
  #isRefused = false;
  #lostStore = false;

  /** @param counts Where failures of stores are counted. */
  constructor(request: R, onStoreError: OnStoreError, counts: Counts) {
    this.#request = request;
    this.#onStoreError = onStoreError;
    this.#counts = counts;
  }

  /** Asks all policies; none of them for a request that each of them skips. */
  *ask(policies: readonly Policy<R>[]): Steps<Decision, Judgement> {
    // What others wrote is called before anything is taken, in case it throws.
    const claims = policies.filter((policy) => !policy.skips(this.#request)).map((policy) => this.#claim(policy));
    this.#isSkipped = claims.length === 0;
    for (const claim of claims) {
      if (this.#isRefused && claim.shadow) continue;
      try {
        yield* this.#askOne(claim);
      } catch (error) {
        const isLost = this.#countFailure(error);
        // Those that only look on refuse nobody; and once a request is refused, all others are asked only to tell more.
        if (isLost && (claim.shadow || this.#isRefused || this.#onStoreError === "open")) continue;
        yield* this.#giveBack();
        if (isLost && this.#onStoreError === "closed") return this.#judgement(true);
        throw error;
      }
    }
    if (this.#isRefused) yield* this.#giveBack();
    return this.#judgement(false);
  }

  #claim(policy: Policy<R>): Claim {
    const limit = policy.limitOf(this.#request);
    return { limit, key: policy.key(this.#request), cost: policy.costOf(this.#request), shadow: policy.shadow };
  }

  *#askOne(claim: Claim): Steps<Decision, void> {
    const { limit, key, cost, shadow } = claim;
    const takes = !this.#isRefused;
    const decision = takes ? yield limit.limiter.consume(key, cost) : yield* this.#look(claim);
    const index = this.#decisions.push(report(limit, decision, shadow)) - 1;
    if (takes && decision.allowed && cost > 0) this.#taken.push([claim, index]);
    if (!decision.allowed && !shadow) this.#isRefused = true;
  }

  /** How things are, and how long the request would have to wait where it would not be admitted. */
  *#look({ limit, key, cost }: Claim): Steps<Decision, Decision> {
    // A peek tells how things would be after a put; this one puts nothing.
    const present = yield limit.limiter.peek(key, 0);
    if (present.remaining >= cost) return present;
    const refusal = yield limit.limiter.peek(key, cost);
    return refusal.allowed ? present : refusal;
  }

  *#giveBack(): Steps<Decision, void> {
    for (const [{ limit, key, cost, shadow }, index] of this.#taken.splice(0)) {
      try {
        const decision = yield limit.limiter.refund(key, cost);
        this.#decisions[index] = report(limit, decision, shadow);
      } catch (error) {
        // The answer stands; what could not be given back comes back with time.
        this.#countFailure(error);
      }
    }
  }

  /** Whether an error says that a store failed. */
  #countFailure(error: unknown): boolean {
    if (!(error instanceof StoreError)) return false;
    this.#counts.storeErrors++;
    this.#lostStore = true;
    return true;
  }

  #judgement(isUnavailable: boolean): Judgement {
    return {
      decisions: this.#decisions,
      isSkipped: this.#isSkipped,
      isRefused: this.#isRefused,
      isUnavailable,
      lostStore: this.#lostStore,
    };
  }
}

/** What a policy decided, with the terms under which it did. */
export function report(limit: Limit, decision: Decision, shadow: boolean): PolicyDecision {
  const terms = limit.termsOf(decision);
  return { name: terms.name, quota: terms.quota, window: terms.window, decision, shadow, terms };
}
