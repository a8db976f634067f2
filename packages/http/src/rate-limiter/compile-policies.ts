import type { Mode } from "@sluice/core";
import type { KeyFunction } from "../address/keys.js";
import { checkNames } from "../check-names.js";
import type { HttpRequest } from "../http-request.js";
import { KNOWN_POLICY } from "./known-options.js";
import type { MemorySettings } from "./limit.js";
import type { PolicyOptions, RateLimiterOptions } from "./options.js";
import { Policy } from "./policy.js";

/** The policies of a rate limiter. */
export interface CompiledPolicies<R> {
  readonly policies: readonly Policy<R>[];
  /** Which requests no policy is asked about. */
  readonly skip: ((request: R) => boolean) | undefined;
}

const DEFAULT_NAME = "default";
const DEFAULT_MAX_TRACKED = 100_000;
/** What belongs to one policy, and cannot stand beside several. */
const OWN = ["name", "rate", "burst", "limiter", "plan", "plans"] as const;

/** Makes the policies that options describe: several, or the one that the options are themselves. */
export function compilePolicies<R extends HttpRequest>(
  options: RateLimiterOptions<Mode, R>,
  byDefault: KeyFunction<HttpRequest>,
): CompiledPolicies<R> {
  const { policies, key = byDefault, cost = 1, skip, shadow = false } = options;
  const settings = { maxTracked: checkMaxTracked(options.maxTracked), clock: options.clock };
  if (policies === undefined) {
    const only = new Policy<R>({ ...options, name: options.name ?? DEFAULT_NAME, key }, settings);
    return { policies: [only], skip: undefined };
  }
  checkList(options, policies);
  const compile = (policy: PolicyOptions<Mode, R>) => new Policy<R>({ key, cost, shadow, ...policy }, settings);
  return { policies: policies.map(compile), skip };
}

function checkList<R>(options: RateLimiterOptions<Mode, R>, policies: readonly PolicyOptions<Mode, R>[]): void {
  if (!Array.isArray(policies) || policies.length === 0) {
    throw new TypeError(
      "Cannot limit by no policies: policies is a list of one or more. Leave it out for one by address.",
    );
  }
  const stray = OWN.find((name) => options[name] !== undefined);
  if (stray !== undefined) {
    throw new TypeError(`Cannot use ${stray} beside policies: it belongs to one policy. Move it into one of them.`);
  }
  const names = new Set<string>();
  for (const policy of policies) {
    checkNames(policy, KNOWN_POLICY);
    const { name } = policy;
    if (names.has(name)) {
      throw new TypeError(
        `Cannot name two policies ${JSON.stringify(name)}: clients tell them apart by name. Rename one.`,
      );
    }
    names.add(name);
  }
}

function checkMaxTracked(maxTracked: MemorySettings["maxTracked"] = DEFAULT_MAX_TRACKED): number {
  if (Number.isSafeInteger(maxTracked) && maxTracked >= 1) return maxTracked;
  const message = `Cannot track at most ${JSON.stringify(maxTracked)} clients: maxTracked is a whole number, 1 or more. Leave it out for ${DEFAULT_MAX_TRACKED}.`;
  throw typeof maxTracked === "number"
    ? new RangeError(message.replace("null", String(maxTracked)))
    : new TypeError(message);
}
