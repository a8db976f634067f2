/** Where a request is to go. */
export interface Target {
  /** The path and the query. */
  readonly path: string;
  /** The host that the target names; it counts more than the field `Host` (RFC 9112, 3.2.2). */
  readonly host: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?#@]+)(.*)$/i;

/** Reads the target of a request; `undefined` for one that cannot be passed on, such as the `*` of OPTIONS. */
export function readTarget(url = ""): Target | undefined {
  if (url.startsWith("/")) return { path: url, host: undefined };
  const [, host, path = ""] = ABSOLUTE.exec(url) ?? [];
  if (host === undefined) return undefined;
  return { path: path.startsWith("/") ? path : `/${path}`, host };
}
