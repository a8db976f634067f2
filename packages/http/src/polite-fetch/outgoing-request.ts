/** What is known of a request before it is sent. */
export interface OutgoingRequest {
  /** Where it goes. */
  readonly url: URL;
  /** Its method, in capitals. */
  readonly method: string;
  /** Its header fields. */
  readonly headers: Headers;
}

/** What fetch takes first. */
export type FetchInput = string | URL | Request;

/** Methods that may be repeated, as their second time changes nothing more (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** Bodies that are still there after they were sent; a stream is not. */
const LASTING = /^\[object (?:String|ArrayBuffer|SharedArrayBuffer|Blob|File|URLSearchParams|FormData)\]$/;

/** Reads what fetch was called with. Throws TypeError for a URL that is none, as fetch does. */
export function outgoingRequest(input: FetchInput, init: RequestInit | undefined): OutgoingRequest {
  const request = isRequest(input) ? input : undefined;
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  return {
    url: new URL(request?.url ?? String(input), location?.href),
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    headers: new Headers(init?.headers ?? request?.headers),
  };
}

/** Whether the first argument of fetch is a Request, of whatever implementation. */
export function isRequest(input: FetchInput): input is Request {
  return typeof input === "object" && "clone" in input && "url" in input;
}

/** The signal that fetch would listen to: that of the second argument, where it names one. */
export function signalOf(input: FetchInput, init: RequestInit | undefined): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined;
  return isRequest(input) ? input.signal : undefined;
}

/** Whether a request may be sent a second time, as far as its method and its fields tell. */
export function isIdempotent({ method, headers }: OutgoingRequest): boolean {
  return IDEMPOTENT.has(method) || headers.has("idempotency-key");
}

/** Whether the body can be sent a second time. That of a Request can, as the Request is cloned. */
export function canSendAgain(init: RequestInit | undefined): boolean {
  const body: unknown = init?.body;
  if (body === undefined || body === null || ArrayBuffer.isView(body)) return true;
  return LASTING.test(Object.prototype.toString.call(body));
}

/** Whether a failure to fetch would be the same each time: too many redirects, or any where none is allowed. */
export function isLasting(error: Error, { protocol }: URL): boolean {
  if (protocol !== "http:" && protocol !== "https:") return true;
  // The standard has one error for all; runtimes tell in words, or by a code, what went wrong.
  const { code } = error as { readonly code?: unknown };
  return /redirect/i.test(`${error.message} ${String(error.cause)} ${String(code)}`);
}

/**
 * Whether fetch was called with what it can never take. Its TypeError is then no failure of
 * the network, although it looks like one.
 */
export function isWrongCall(input: FetchInput, init: RequestInit | undefined): boolean {
  try {
    const request = isRequest(input) ? input : undefined;
    new Request(request?.url ?? String(input), { method: request?.method ?? "GET", ...init, signal: null });
    return false;
  } catch {
    return true;
  }
}
