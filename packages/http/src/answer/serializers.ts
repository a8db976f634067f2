/**
 * How clients are told what is left: the drafts of `RateLimit` fields, and what came before them.
 *
 * @module
 */
import type { Field } from "./answer.js";
import { ceilSeconds, type PolicyDecision, wholeNumber, windowSeconds } from "./policy-terms.js";

/**
 * Tells what the policies decided.
 *
 * @param decisions At least one; policies that only look on are not among them.
 * @param now Gives milliseconds since 1970, for fields that name an instant.
 */
export type Serializer = (decisions: readonly PolicyDecision[], now: () => number) => readonly Field[];

/** A form in which limits are told, by the draft that describes it; `"legacy"` is `X-RateLimit-*`. */
export type FieldForm = "draft-11" | "draft-8" | "draft-7" | "draft-6" | "legacy";

/**
 * Draft 11 of draft-ietf-httpapi-ratelimit-headers: lists of all policies.
 * Runs for each request: nothing but concatenation.
 */
function draft11(decisions: readonly PolicyDecision[]): readonly Field[] {
  let policies = "";
  let limits = "";
  for (const told of decisions) {
    const { terms } = told;
    policies += policies === "" ? terms.item : `, ${terms.item}`;
    const limit = `${terms.label};r=${left(told)};t=${reset(told)}`;
    limits += limits === "" ? limit : `, ${limit}`;
  }
  return [
    ["RateLimit-Policy", policies],
    ["RateLimit", limits],
  ];
}

/** The same, with the spaces of express-rate-limit, but without its `pk`: the short hash of an address gives it away. */
function draft8(decisions: readonly PolicyDecision[]): readonly Field[] {
  const policies = decisions.map(
    ({ terms, quota, window }) => `${terms.label}; q=${wholeNumber(quota)}; w=${windowSeconds(window)}`,
  );
  const limits = decisions.map((told) => `${told.terms.label}; r=${left(told)}; t=${reset(told)}`);
  return [
    ["RateLimit-Policy", policies.join(", ")],
    ["RateLimit", limits.join(", ")],
  ];
}

function draft7(decisions: readonly PolicyDecision[]): readonly Field[] {
  const told = nearest(decisions);
  return [
    ["RateLimit-Policy", quotas(decisions)],
    ["RateLimit", `limit=${wholeNumber(told.quota)}, remaining=${left(told)}, reset=${reset(told)}`],
  ];
}

function draft6(decisions: readonly PolicyDecision[]): readonly Field[] {
  const told = nearest(decisions);
  return [
    ["RateLimit-Policy", quotas(decisions)],
    ["RateLimit-Limit", String(wholeNumber(told.quota))],
    ["RateLimit-Remaining", String(left(told))],
    ["RateLimit-Reset", String(reset(told))],
  ];
}

function legacy(decisions: readonly PolicyDecision[], now: () => number): readonly Field[] {
  const told = nearest(decisions);
  return [
    ["X-RateLimit-Limit", String(wholeNumber(told.quota))],
    ["X-RateLimit-Remaining", String(left(told))],
    ["X-RateLimit-Reset", String(ceilSeconds(now() + untilReset(told)))],
  ];
}

/** Each form, and the fields that it writes. */
const FORMS: Readonly<Record<FieldForm, readonly [serialize: Serializer, names: readonly string[]]>> = {
  "draft-11": [draft11, ["RateLimit-Policy", "RateLimit"]],
  "draft-8": [draft8, ["RateLimit-Policy", "RateLimit"]],
  "draft-7": [draft7, ["RateLimit-Policy", "RateLimit"]],
  "draft-6": [draft6, ["RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]],
  legacy: [legacy, ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]],
};

/** What the option `fields` takes: a form, several, a serializer of one's own, or `false` for none. */
export type FieldsOption = FieldForm | Serializer | false | readonly (FieldForm | Serializer)[];

/**
 * Makes one serializer of the option `fields`.
 *
 * @throws RangeError for a form that is not known, and for two that write the same field.
 */
export function compileFields(option: FieldsOption = "draft-11"): Serializer {
  const chosen = option === false ? [] : Array.isArray(option) ? option : [option as FieldForm | Serializer];
  checkForms(chosen);
  const serializers = chosen.map((form) => (typeof form === "function" ? form : FORMS[form as FieldForm][0]));
  const [only] = serializers;
  if (only !== undefined && serializers.length === 1) return only;
  return (decisions, now) => serializers.flatMap((serialize) => serialize(decisions, now));
}

function checkForms(chosen: readonly (FieldForm | Serializer)[]): void {
  const writers = new Map<string, string>();
  for (const form of chosen) {
    if (typeof form === "function") continue;
    if (!Object.hasOwn(FORMS, form)) {
      const known = Object.keys(FORMS).join(", ");
      throw new RangeError(
        `Cannot tell limits as ${JSON.stringify(form)}: the forms are ${known}. Or pass a serializer, or false for none.`,
      );
    }
    for (const name of FORMS[form][1]) {
      const other = writers.get(name);
      if (other !== undefined) {
        throw new RangeError(
          `Cannot tell limits as ${other} and ${form}: both write ${name}. Choose one; legacy goes with each.`,
        );
      }
      writers.set(name, form);
    }
  }
}

/** The limit that holds a client back first: one that refused and lasts longest, else the one with the least left. */
function nearest(decisions: readonly PolicyDecision[]): PolicyDecision {
  return decisions.reduce((first, told) => {
    const longer = told.decision.retryAfter - first.decision.retryAfter;
    if (longer > 0) return told;
    return longer < 0 || left(told) >= left(first) ? first : told;
  });
}

function quotas(decisions: readonly PolicyDecision[]): string {
  return decisions.map(({ quota, window }) => `${wholeNumber(quota)};w=${windowSeconds(window)}`).join(", ");
}

/** What is left, and never more than the quota: another store may stand in for the one that knows. */
function left({ decision, quota }: PolicyDecision): number {
  return wholeNumber(decision.remaining < quota ? decision.remaining : quota);
}

function reset(told: PolicyDecision): number {
  return ceilSeconds(untilReset(told));
}

/** Milliseconds until the quota that is told of is whole again. */
function untilReset({ decision, terms }: PolicyDecision): number {
  return decision.resetAfter < terms.longestReset ? decision.resetAfter : terms.longestReset;
}
