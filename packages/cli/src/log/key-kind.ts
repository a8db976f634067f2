/** What a request can be counted under, as `--key` names it. */
export const KEY_KINDS = ["ip", "path", "user", "ip+path"] as const;

/** What a request is counted under. */
export type KeyKind = (typeof KEY_KINDS)[number];

/** What `--key` says and a log writes for a field that has no value, such as the user of an open page. */
export const NO_VALUE = "-";

/** The fields of one line that keys are made of; each is asked for only when the key needs it. */
export interface KeyFields {
  ip(): string | undefined;
  path(): string | undefined;
  user(): string | undefined;
}

/** Makes the key of one line; `undefined` when the line lacks a field that it is made of. */
export function keyOf(kind: KeyKind, fields: KeyFields): string | undefined {
  if (kind !== "ip+path") return fields[kind]();
  const ip = fields.ip();
  const path = fields.path();
  return ip === undefined || path === undefined ? undefined : `${ip} ${path}`;
}
