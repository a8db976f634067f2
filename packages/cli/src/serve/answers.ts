/**
 * Answers that the proxy gives itself.
 *
 * @module
 */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Answer, Field } from "@sluice/http";

/** Sends a refusal of the gate. */
export function sendAnswer(response: ServerResponse, { status, fields, body }: Answer): void {
  send(response, status, body.type, body.text, fields);
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
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of fields) response.setHeader(name, value);
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.writeHead(status);
  response.end(text);
}
