import type { ProviderUnit } from "./provider-headers.js";

/** The names of dimensions, without hyphens and underscores, that count a kind of unit. */
const KINDS: Readonly<Record<ProviderUnit, RegExp>> = {
  requests: /^(?:rp[smhd]|(?:requests?|calls?)(?:per.*)?)$/i,
  tokens: /^(?:tp[smhd]|(?:total)?tokens?(?:per.*)?)$/i,
  "input-tokens": /^(?:itp[smhd]|(?:input|prompt)tokens?(?:per.*)?)$/i,
  "output-tokens": /^(?:otp[smhd]|(?:output|completion)tokens?(?:per.*)?)$/i,
};

/** Whether a dimension of this name counts that kind of unit, as `inputTokens` and `input_tokens_per_minute` do. */
export function counts(kind: ProviderUnit, name: string): boolean {
  return KINDS[kind].test(name.replace(/[-_]/g, ""));
}
