import { NO_VALUE } from "./key-kind.js";

/**
 * The path in a request line: that of `GET /a?b=1 HTTP/1.1` is `/a`.
 *
 * What is no request line, such as the bytes of a TLS handshake, is its own path.
 */
export function pathOfRequest(request: string): string {
  const start = request.indexOf(" ") + 1;
  if (start === 0) return pathOfTarget(request);
  const protocol = request.lastIndexOf(" HTTP/");
  return pathOfTarget(protocol < start ? request.slice(start) : request.slice(start, protocol));
}

/** The path in a request target or URL: without the query, and without scheme and host. */
export function pathOfTarget(target: string): string {
  const query = target.indexOf("?");
  const whole = query === -1 ? target : target.slice(0, query);
  if (whole.startsWith("/")) return whole;
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i.exec(whole)?.[0];
  if (origin !== undefined) return whole.slice(origin.length) || "/";
  return whole || NO_VALUE;
}
