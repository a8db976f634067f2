/**
 * Responses of the fetch standard: refusals, fields, and when a response is over.
 *
 * @module
 */
import type { Answer, Field } from "../answer/answer.js";

/** Neither has a body that anyone would read, nor can be made anew. */
const SWITCHING_PROTOCOLS = 101;

/** The response to a request that is not served. */
export function refusal({ status, fields, body }: Answer): Response {
  const headers = new Headers({ "Content-Type": body.type });
  for (const [name, value] of fields) headers.set(name, value);
  return new Response(body.text, { status, headers });
}

/** The response, with fields: the same one, or a copy where its own are immutable, as those of `fetch` are. */
export function withFields(response: Response, fields: readonly Field[]): Response {
  try {
    for (const [name, value] of fields) response.headers.set(name, value);
    return response;
  } catch {
    if (response.status === SWITCHING_PROTOCOLS) return response;
    return withFields(new Response(response.body, response), fields);
  }
}

/**
 * Calls `onOver` when the body of a response has been read to its end, has been cancelled,
 * or has failed; at once where there is none to read.
 *
 * @returns The response to send in its place.
 */
export function whenRead(response: Response, method: string, onOver: () => void): Response {
  const { body } = response;
  if (body === null || method === "HEAD" || response.status === SWITCHING_PROTOCOLS) {
    onOver();
    return response;
  }
  return new Response(watched(body.getReader(), onOver), response);
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
