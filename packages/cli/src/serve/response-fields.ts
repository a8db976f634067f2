import type { IncomingHttpHeaders } from "node:http";
import type { Field } from "@sluice/http";
import { isHopByHop, namedByConnection } from "./hop-by-hop.js";

/**
 * The header fields of the upstream's answer for the client, names and values in turn.
 *
 * @param own What the gate tells; it stands beside what the upstream says under the same name.
 */
export function responseFields(headers: IncomingHttpHeaders, own: readonly Field[]): string[] {
  const named = namedByConnection(headers.connection);
  const fields: string[] = [];
  for (const name in headers) {
    if (isHopByHop(name) || named.has(name)) continue;
    const value = headers[name];
    if (typeof value === "string") fields.push(name, value);
    else for (const line of value ?? []) fields.push(name, line);
  }
  for (const [name, value] of own) fields.push(name, value);
  return fields;
}
