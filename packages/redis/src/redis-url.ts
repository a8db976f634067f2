/**
 * The URLs that a bucket can be opened with.
 *
 * @module
 */

/** Where a server is. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** What a URL says. */
export interface RedisUrl {
  /** The URL without its password, for errors. */
  readonly shown: string;
  readonly cluster: boolean;
  readonly tls: boolean;
  /** One address, or those of some nodes of a Cluster. */
  readonly addresses: readonly RedisAddress[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
}

const DEFAULT_PORT = 6379;
const SHAPE = /^(redis|rediss)(\+cluster)?:\/\/(?:([^@/]*)@)?([^@/?#]*)(?:\/(\d*))?$/;

/**
 * Reads `redis://user:password@host:port/db`, `rediss://` (TLS), and `redis+cluster://` or
 * `rediss+cluster://` with several hosts, separated by commas.
 */
export function parseRedisUrl(url: string): RedisUrl {
  if (typeof url !== "string")
    throw new TypeError(`Cannot open a value of type ${typeof url}: pass a URL such as "redis://localhost:6379".`);
  const [, scheme, cluster, credentials, hosts, db] = SHAPE.exec(url) ?? [];
  const shown = url.replace(/\/\/.*@/, "//");
  if (scheme === undefined || hosts === undefined) {
    throw wrong(
      shown,
      'a URL is such as "redis://user:password@host:6379/0", "rediss://host" or "redis+cluster://host1:7000,host2:7000"',
    );
  }
  const several = cluster !== undefined;
  const addresses = (several ? hosts.split(",") : [hosts]).map((host) => parseAddress(shown, host));
  if (several && Number(db ?? 0) !== 0) throw wrong(shown, "a Cluster has only database 0");
  const [username, password] = parseCredentials(shown, credentials ?? "");
  return { shown, cluster: several, tls: scheme === "rediss", addresses, username, password, db: Number(db ?? 0) };
}

function parseAddress(shown: string, text: string): RedisAddress {
  const [, inBrackets, name, port] = /^(?:\[([\da-fA-F:.]+)\]|([^\s:,[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (host === undefined || Number(port ?? 0) > 65_535) {
    throw wrong(
      shown,
      `${JSON.stringify(text)} is no host with a port. Put several hosts into redis+cluster:// and an IPv6 address into brackets`,
    );
  }
  return { host: host === "" ? "localhost" : host, port: Number(port ?? DEFAULT_PORT) };
}

function parseCredentials(shown: string, text: string): [username: string | undefined, password: string | undefined] {
  const at = text.indexOf(":");
  const parts = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  try {
    const [username, password] = parts.map((part) => (part === "" ? undefined : decodeURIComponent(part)));
    return [username, password];
  } catch {
    throw wrong(shown, "the user or the password has a % that begins no escape. Encode them with encodeURIComponent");
  }
}

function wrong(shown: string, rule: string): RangeError {
  const hint = "For anything else, make a client with ioredis and pass it to new RedisBucket()";
  return new RangeError(`Cannot open ${JSON.stringify(shown)}: ${rule}. ${hint}.`);
}
