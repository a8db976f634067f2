/**
 * Answers that the proxy gives itself.
 *
 * @module
 */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Answer, Field } from "@sluice/http";

/**
 * Sends a refusal of the gate.
 *
 * @param onSent Is called instead of ending the response, when all of it is on its way.
 */
export function sendAnswer(response: ServerResponse, { status, fields, body }: Answer, onSent?: () => void): void {
  if (!begin(response, status, body.type, body.text, fields)) return;
  if (onSent === undefined) {
    response.end(body.text);
    return;
  }
  response.write(body.text);
  onSent();
}

/** Says what went wrong, as problem details (RFC 9457). */
export function sendProblem(
  response: ServerResponse,
  status: number,
  detail: string,
  fields: readonly Field[] = [],
): void {
  const problem = { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
  send(response, status, "application/problem+json", JSON.stringify(problem), fields);
}

/** Sends a text. */
export function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  fields: readonly Field[] = [],
): void {
  if (begin(response, status, type, text, fields)) response.end(text);
}

/** Sets the fields, unless it is too late for that. */
function begin(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  fields: readonly Field[],
): boolean {
  if (response.headersSent || response.destroyed) return false;
  for (const [name, value] of fields) response.setHeader(name, value);
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.writeHead(status);
  return true;
}
