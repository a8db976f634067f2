import type { Mode } from "@sluice/core";
import type { Known } from "../check-names.js";
import type { HttpRequest } from "../http-request.js";
import type { LimitOptions, PolicyOptions, RateLimiterOptions } from "./options.js";

const HINTS = {
  requestsPerSecond: "rate",
  limit: 'rate, as in { rate: 100 } or { rate: "100/min" }',
  max: 'rate, as in { rate: "100/min" }',
  rates: "rate",
  windowMs: 'the window into the rate, as in { rate: "100/min" }',
  interval: 'the interval into the rate, as in { rate: "100/min" }',
};
const LIMIT = { rate: true, burst: true, limiter: true } as const;
const RULES = { ...LIMIT, key: true, cost: true, skip: true, shadow: true, plan: true, plans: true } as const;

/** The names of what limits one plan. */
export const KNOWN_LIMIT: Known<LimitOptions<Mode>> = {
  what: "a limit",
  example: '{ rate: "1000/day" }',
  names: LIMIT,
  hints: HINTS,
};

/** The names of what makes one of several policies. */
export const KNOWN_POLICY: Known<PolicyOptions<Mode, HttpRequest>> = {
  what: "a policy",
  example: '{ name: "daily", rate: "1000/day" }',
  names: { name: true, ...RULES },
  hints: HINTS,
};

/** The names of what makes a rate limiter. */
export const KNOWN_RATE_LIMITER: Known<RateLimiterOptions<Mode, HttpRequest>> = {
  what: "a RateLimiter",
  example: "{ rate: 100, burst: 200 }",
  names: {
    name: true,
    ...RULES,
    policies: true,
    trustedHosts: true,
    addressField: true,
    warn: true,
    ipv6Prefix: true,
    maxTracked: true,
    fields: true,
    body: true,
    onStoreError: true,
    clock: true,
  },
  hints: {
    ...HINTS,
    enabled: "nothing: a RateLimiter is on. A Gate takes { rateLimit: { enabled: true } }",
    trustProxy: "trustedHosts, with the addresses of your proxies",
  },
};
