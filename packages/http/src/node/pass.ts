/**
 * The way of a request through a gate.
 *
 * @module
 */
import type { Gate } from "../gate/gate.js";
import type { Entered, Passage } from "../gate/passage.js";
import type { HttpRequest } from "../http-request.js";
import { send, setFields } from "./answer.js";
import { HangUp, isOver, type NodeRequest, type NodeResponse, turnOf } from "./connection.js";

/**
 * Takes a request through a gate, and sees to it that it leaves once its response is sent
 * or its client is gone. A client that hangs up while it waits is let go without a word.
 *
 * @param serve Called when the request may be served.
 * @param fail Called with what the rate limiter threw.
 * @returns What `serve` gave back, or a promise of it where the request had to wait.
 */
export function pass<R extends NodeRequest & HttpRequest>(
  gate: Gate<R>,
  request: R,
  response: NodeResponse,
  serve: (inside: Entered) => unknown,
  fail: (error: unknown) => void,
): unknown {
  const conclude = (passage: Passage) => {
    if (passage.allowed) return settle(passage, response) ? serve(passage) : undefined;
    return send(response, passage);
  };
  const giveUp = (error: unknown) => {
    if (!isOver(response)) fail(error);
  };
  const enter = () => {
    let passage: Passage | Promise<Passage>;
    try {
      passage = gate.enter(request, new HangUp(response), response);
    } catch (error) {
      return giveUp(error);
    }
    return passage instanceof Promise ? passage.then(conclude, giveUp) : conclude(passage);
  };
  const turn = turnOf(response);
  return turn === undefined ? enter() : turn.then(enter);
}

/**
 * Makes a request that was let in leave when it is over, and sets its fields.
 *
 * @returns Whether there is still somebody to serve.
 */
export function settle(inside: Entered, response: NodeResponse): boolean {
  if (isOver(response)) {
    inside.leave();
    return false;
  }
  response.once("close", () => inside.leave());
  setFields(response, inside.fields);
  return true;
}
