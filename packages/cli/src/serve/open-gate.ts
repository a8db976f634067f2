import { ALGORITHMS, type Algorithm, type Limiter, type Mode, tokenBucket } from "@sluice/core";
import { byAddress, byHeader, Gate, type KeyFunction, RateLimiter, RequestQueue } from "@sluice/http";
import { createLimiter, openLimiter } from "sluice";
import { readLimits } from "../read-limits.js";
import { messageOf, UsageError } from "../usage-error.js";
import type { ServeSettings } from "./options.js";

const DEFAULT_RATE = "100/s";
const DEFAULT_BURST = 200;
const DEFAULT_DEPTH = 1000;
const DEFAULT_WAIT = 30_000;
const PROXY_WARNING =
  "requests come with a forwarding field from a private address, most likely a proxy, and all its clients share one limit: name your proxies, as in --trusted 10.0.0.0/8.";

/**
 * Makes the gate that settings describe.
 *
 * @param warn Told once when all clients seem to come through a proxy that nobody trusts.
 * @throws UsageError for rates that do not go together, and for a store that cannot be opened.
 */
export async function openGate(settings: ServeSettings, warn = (_: string) => {}): Promise<Gate> {
  const rateLimit = settings.rate?.length === 0 ? undefined : await openRateLimiter(settings, warn);
  const queue = openQueue(settings);
  return new Gate({ ...(rateLimit !== undefined && { rateLimit }), ...(queue !== undefined && { queue }) });
}

async function openRateLimiter(settings: ServeSettings, warn: (text: string) => void): Promise<RateLimiter<Mode>> {
  const { name, trusted, onStoreError, fields } = settings;
  return new RateLimiter<Mode>({
    name,
    key: keyFunction(settings, () => warn(PROXY_WARNING)),
    limiter: await openStore(settings),
    onStoreError,
    fields: fields === "none" ? false : fields,
    ...(trusted !== undefined && { trustedHosts: trusted }),
  });
}

function openQueue(settings: ServeSettings): RequestQueue | undefined {
  const { maxConcurrent, queueDepth = DEFAULT_DEPTH, maxWait = DEFAULT_WAIT, queueOrder = "fifo" } = settings;
  if (maxConcurrent === undefined) return undefined;
  return new RequestQueue({ maxConcurrent, maxDepth: queueDepth, maxWait, order: queueOrder });
}

function keyFunction({ key, trusted, ipv6Prefix }: ServeSettings, warn: () => void): KeyFunction {
  if (key.by === "header") return byHeader(key.name);
  if (key.by === "none") return () => undefined;
  return byAddress({ ipv6Prefix, warn, ...(trusted !== undefined && { trustedHosts: trusted }) });
}

async function openStore(settings: ServeSettings): Promise<Limiter<Mode>> {
  const { store, name, maxTracked } = settings;
  const algorithm = ALGORITHMS.find((known) => known.name === settings.algorithm) ?? tokenBucket;
  const rates = UsageError.during(() => readRates(settings, algorithm));
  // In this process there is nothing to wait for, and a limiter that answers at once is the quicker one.
  if (/^memory:/i.test(store)) return createLimiter(rates, { name, algorithm, maxKeys: maxTracked }) as Limiter<Mode>;
  try {
    return (await openLimiter(store, rates, { name, algorithm })) as Limiter<Mode>;
  } catch (error) {
    throw new UsageError(`Cannot serve without the store: ${messageOf(error)}`, { cause: error });
  }
}

function readRates({ rate, burst }: ServeSettings, algorithm: Algorithm) {
  const takesBurst = algorithm.name.endsWith("-bucket");
  const filled = burst ?? (rate === undefined && takesBurst ? DEFAULT_BURST : undefined);
  return readLimits(rate ?? [DEFAULT_RATE], filled, algorithm).map((limit) => limit.rate);
}
