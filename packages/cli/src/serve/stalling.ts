import type { IncomingMessage, ServerResponse } from "node:http";
import { sendProblem } from "./answers.js";

/**
 * Ends a request whose client has stopped sending its body, or taking the answer, once its
 * connection has stood still for the server's `timeout`. A connection that stands still
 * because the upstream does is left alone: that has times of its own.
 */
export function endWhenStalled(request: IncomingMessage, response: ServerResponse): void {
  response.on("timeout", () => {
    const { socket } = request;
    // While nobody reads the body, it is not the client who makes us wait.
    if (!request.complete && request.readableFlowing === true) {
      response.shouldKeepAlive = false;
      if (response.headersSent) socket.destroy();
      else sendProblem(response, 408, "The rest of the request did not come in time.");
    } else if (response.writableNeedDrain) socket.destroy();
    // The timer has gone off, and is set again only when something comes.
    else socket.setTimeout(socket.timeout ?? 0);
  });
}
