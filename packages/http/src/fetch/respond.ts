/**
 * Responses of the fetch standard: refusals, fields, and when a response is over.
 *
 * @module
 */
import type { Answer, Field } from "../answer/answer.js";
import type { Entered } from "../gate/passage.js";

/** Neither has a body that anyone would read, nor can be made anew. */
const SWITCHING_PROTOCOLS = 101;

/** What nobody will read: the client hung up. */
const NOBODY_THERE = 499;

/** The response to a request that is not served. */
export function refusal({ status, fields, body }: Answer): Response {
  const headers = new Headers({ "Content-Type": body.type });
  setFields(headers, fields);
  return new Response(body.text, { status, headers });
}

/** The response to a client that hung up. */
export function nobodyThere(): Response {
  return new Response(null, { status: NOBODY_THERE });
}

/** The response, with fields: the same one, or a copy where its own are immutable, as those of `fetch` are. */
export function withFields(response: Response, fields: readonly Field[]): Response {
  try {
    setFields(response.headers, fields);
    return response;
  } catch {
    if (response.status === SWITCHING_PROTOCOLS) return response;
    const copy = new Response(response.body, response);
    // If that fails too, it is the field that is wrong.
    setFields(copy.headers, fields);
    return copy;
  }
}

/**
 * Serves a request that was let in, and sees to it that it leaves: when the body of its
 * response is over, when its client hangs up, or when `serve` fails.
 */
export async function serveInside(
  { signal, method }: Request,
  inside: Entered,
  serve: () => Promise<Response>,
): Promise<Response> {
  const leave = () => {
    signal.removeEventListener("abort", leave);
    inside.leave();
  };
  signal.addEventListener("abort", leave);
  try {
    if (signal.aborted) leave();
    return whenRead(withFields(await serve(), inside.fields), method, leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Calls `onOver` when the body of a response has been read to its end, has been cancelled,
 * or has failed; at once where there is none to read.
 *
 * @returns The response to send in its place.
 */
function whenRead(response: Response, method: string, onOver: () => void): Response {
  const { body } = response;
  if (body === null || method === "HEAD" || response.status === SWITCHING_PROTOCOLS) {
    onOver();
    return response;
  }
  return new Response(watched(body.getReader(), onOver), response);
}

function setFields(headers: Headers, fields: readonly Field[]): void {
  for (const [name, value] of fields) headers.set(name, value);
}

/** A stream of what a reader gives, and no sooner than it is asked for. */
function watched(reader: ReadableStreamDefaultReader<Uint8Array>, onOver: () => void): ReadableStream<Uint8Array> {
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      const { done, value } = await reader.read();
      if (!done) {
        controller.enqueue(value);
        return;
      }
      controller.close();
    } catch (error) {
      controller.error(error);
    }
    onOver();
  };
  const cancel = (reason: unknown) => {
    onOver();
    return reader.cancel(reason);
  };
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
