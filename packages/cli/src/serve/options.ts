/**
 * The options of `sluice serve`: how each is called, what it means, and what it is when it is left out.
 *
 * @module
 */
import { ALGORITHMS, tokenBucket } from "@sluice/core";
import type { ServeConfig } from "./config.js";
import { duration, key, name, oneOf, origin, type Reader, rates, store, text, trusted, whole } from "./readers.js";

/** An option. */
export interface ServeOption<T> {
  /** As commander takes it. */
  readonly flags: string;
  readonly help: string;
  readonly read: Reader<T>;
  /** What it is when it is left out, as it would be given. */
  readonly byDefault?: string | number;
  /** Whether it may be given several times. */
  readonly isList?: true;
}

const listening = {
  upstream: { flags: "-u, --upstream <url>", help: "where requests go, such as http://127.0.0.1:3000", read: origin },
  host: {
    flags: "--host <address>",
    help: "the address to listen on; all when left out",
    read: text('an address or a name of this machine, such as "127.0.0.1"'),
  },
  port: {
    flags: "-p, --port <port>",
    help: "the port to listen on; 0 is any free one",
    read: whole(0, 65_535, 8080),
    byDefault: 8080,
  },
  adminPort: {
    flags: "--admin-port <port>",
    help: "where /healthz and /metrics are, and nothing else; on --port when left out",
    read: whole(0, 65_535, 9090),
  },
  hostHeader: {
    flags: "--host-header <whose>",
    help: "whose Host the upstream sees: client or upstream",
    read: oneOf(["client", "upstream"]),
    byDefault: "client",
  },
} as const satisfies Options;

const limits = {
  rate: {
    flags: "-r, --rate <rate>",
    help: "what a client may ask, such as 100/s; repeat it for several at once; none for no limit (default: 100/s burst 200)",
    read: rates,
    isList: true,
  },
  burst: {
    flags: "-b, --burst <requests>",
    help: "requests at one instant, for every rate that names no burst; as many as the rate when left out",
    read: whole(1, undefined, 200),
  },
  algorithm: {
    flags: "-a, --algorithm <name>",
    help: `what decides: ${ALGORITHMS.map(({ name }) => name).join(", ")}`,
    read: oneOf(ALGORITHMS.map(({ name }) => name)),
    byDefault: tokenBucket.name,
  },
  key: { flags: "-k, --key <key>", help: "what is a client: ip, header:<name> or none", read: key, byDefault: "ip" },
  trusted: {
    flags: "-t, --trusted <hosts>",
    help: "the proxies in front: addresses, ranges such as 10.0.0.0/8, or how many there are",
    read: trusted,
    isList: true,
  },
  ipv6Prefix: {
    flags: "--ipv6-prefix <bits>",
    help: "how many leading bits of an IPv6 address make a client",
    read: whole(32, 128, 56),
    byDefault: 56,
  },
  store: {
    flags: "-s, --store <url>",
    help: "where counts are kept: memory:, sqlite:FILE, postgres://..., redis://...",
    read: store,
    byDefault: "memory:",
  },
  name: {
    flags: "--name <name>",
    help: "what the limit is called, in the store and to clients",
    read: name,
    byDefault: "default",
  },
  onStoreError: {
    flags: "--on-store-error <what>",
    help: "what becomes of requests while the store fails: open or closed (503)",
    read: oneOf(["open", "closed"]),
    byDefault: "open",
  },
  maxTracked: {
    flags: "--max-tracked <clients>",
    help: "how many clients are kept in memory",
    read: whole(1, undefined, 100_000),
    byDefault: 100_000,
  },
  fields: {
    flags: "--fields <form>",
    help: "how clients are told what is left: draft-11, draft-8, draft-7, draft-6, legacy, none",
    read: oneOf(["draft-11", "draft-8", "draft-7", "draft-6", "legacy", "none"]),
    byDefault: "draft-11",
  },
} as const satisfies Options;

const queue = {
  maxConcurrent: {
    flags: "-c, --max-concurrent <requests>",
    help: "how many may be at work at a time; any number when left out",
    read: whole(1, undefined, 64),
  },
  queueDepth: {
    flags: "-q, --queue-depth <requests>",
    help: "how many may wait for those; 0 is any number (default: 1000)",
    read: whole(0, undefined, 1000),
  },
  maxWait: {
    flags: "-w, --max-wait <duration>",
    help: "how long one may wait; 0 is not at all (default: 30s)",
    read: duration(0),
  },
  queueOrder: {
    flags: "--queue-order <order>",
    help: "who is served next: fifo or newest-first (default: fifo)",
    read: oneOf(["fifo", "newest-first"]),
  },
} as const satisfies Options;

const times = {
  connectTimeout: {
    flags: "--connect-timeout <duration>",
    help: "how long the upstream may take to accept a connection",
    read: duration(1),
    byDefault: "10s",
  },
  responseTimeout: {
    flags: "--response-timeout <duration>",
    help: "how long the upstream may take to begin its answer; 0 is any time",
    read: duration(0),
    byDefault: "60s",
  },
  idleTimeout: {
    flags: "--idle-timeout <duration>",
    help: "how long a body may stand still, in either direction; 0 is any time",
    read: duration(0),
    byDefault: "60s",
  },
  keepAlive: {
    flags: "--keep-alive <duration>",
    help: "how long a client's connection is kept between two requests",
    read: duration(1),
    byDefault: "75s",
  },
  drainTimeout: {
    flags: "--drain-timeout <duration>",
    help: "how long the end may take, once SIGTERM or SIGINT came",
    read: duration(0),
    byDefault: "25s",
  },
} as const satisfies Options;

type Options = { readonly [Name in keyof ServeConfig]: ServeOption<unknown> };

/** The options under the headings of the help. */
export const OPTION_GROUPS = { "Listening:": listening, "Limits:": limits, "Queue:": queue, "Times:": times } as const;

/** All options, by name. */
export const OPTIONS = { ...listening, ...limits, ...queue, ...times } as const satisfies Required<Options>;

type Read<O> = O extends { readonly read: Reader<infer T> } ? T : never;
type Table = typeof OPTIONS;

/** The values of all options; `undefined` where one is left out and has no default. */
export type ServeSettings = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly byDefault: string | number }
    ? Read<Table[Name]>
    : Read<Table[Name]> | undefined;
};
