/** A duration: milliseconds, or a text such as `"30s"`. */
export type DurationLike = number | string;

/**
 * What `sluice.config.json`, `.ts` or `.mjs` may hold. The options of `sluice serve` have the same names,
 * written `--max-concurrent`, and come first where both are given.
 */
export interface ServeConfig {
  /** Where requests go: an origin, such as `"http://127.0.0.1:3000"`. */
  readonly upstream?: string;
  /** The address to listen on; all of this machine's when left out. */
  readonly host?: string;
  /** The port to listen on; 0 is any free one. */
  readonly port?: number;
  /** Where to answer `/healthz` and `/metrics`, and nothing else; on `port` when left out. */
  readonly adminPort?: number;
  /** What a client may ask: `"100/s"`, several rates that hold at once, or `"none"`. */
  readonly rate?: string | readonly string[];
  /** Requests at one instant, for every rate that names no burst. */
  readonly burst?: number;
  /** What decides, such as `"token-bucket"`. */
  readonly algorithm?: string;
  /** What is a client: `"ip"`, `"header:x-api-key"`, or `"none"` for one limit that all share. */
  readonly key?: string;
  /** The proxies in front of this one: addresses and ranges, or how many there are. */
  readonly trusted?: number | string | readonly string[];
  /** How many leading bits of an IPv6 address make a client. */
  readonly ipv6Prefix?: number;
  /** Where the counts are kept: `memory:`, `sqlite:FILE`, `redis://HOST` and so on. */
  readonly store?: string;
  /** What the limit is called, in the store and to clients. */
  readonly name?: string;
  /** What becomes of requests while the store fails. */
  readonly onStoreError?: "open" | "closed";
  /** How many clients are kept in memory; the coldest makes room. */
  readonly maxTracked?: number;
  /** How clients are told what is left. */
  readonly fields?: "draft-11" | "draft-8" | "draft-7" | "draft-6" | "legacy" | "none";
  /** How many requests may be at work at a time; any number when left out. */
  readonly maxConcurrent?: number;
  /** How many may wait for those; 0 is any number. */
  readonly queueDepth?: number;
  /** How long one may wait. */
  readonly maxWait?: DurationLike;
  /** Who is served next: who has waited longest, or who came last. */
  readonly queueOrder?: "fifo" | "newest-first";
  /** Whose `Host` the upstream sees: the client's, or its own. */
  readonly hostHeader?: "client" | "upstream";
  /** How long the upstream may take to accept a connection. */
  readonly connectTimeout?: DurationLike;
  /** How long the upstream may take to begin its answer; 0 is any time. */
  readonly responseTimeout?: DurationLike;
  /** How long a body may stand still, in either direction; 0 is any time. */
  readonly idleTimeout?: DurationLike;
  /** How long a client's connection is kept between two requests. */
  readonly keepAlive?: DurationLike;
  /** How long the end may take, once it was asked for. */
  readonly drainTimeout?: DurationLike;
}
