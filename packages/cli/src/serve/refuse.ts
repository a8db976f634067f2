import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "@sluice/http";
import { sendAnswer } from "./answers.js";
import { hasBody } from "./request-body.js";

/** Bytes of a refused body that are read and thrown away, so that its connection can be kept. */
const SMALL = 64 * 1024;
/** Bytes, and milliseconds, for which a client may go on to send a larger one before it is cut off. */
const MOST = 256 * 1024;
const LINGER = 1000;

/**
 * Sends a refusal. The body of the request is nobody's: a small one is thrown away, and
 * after a larger one the connection is closed.
 *
 * It is not closed at once, for then a client that still sends would be told of a broken
 * connection before it reads why it was refused.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (isSmall(request)) {
    sendAnswer(response, answer);
    return;
  }
  response.shouldKeepAlive = false;
  sendAnswer(response, answer, () => {
    const close = () => void response.end();
    const timer = setTimeout(close, LINGER);
    response.once("close", () => clearTimeout(timer));
    let length = 0;
    request.once("end", close).on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST) close();
    });
  });
}

/** Whether what is still to come of a request is little; a client that asked first may send nothing of it. */
function isSmall(request: IncomingMessage): boolean {
  if (request.complete || !hasBody(request)) return true;
  const { expect, "content-length": length } = request.headers;
  return expect === undefined && Number(length) <= SMALL;
}
