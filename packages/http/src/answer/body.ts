/**
 * The bodies of refusals: problem details (RFC 9457) with the types of the draft, or plain text.
 *
 * @module
 */
import type { AnswerBody } from "./answer.js";
import { ceilSeconds } from "./policy-terms.js";

/** The problem types that draft-ietf-httpapi-ratelimit-headers registers. */
export type ProblemType = "quota-exceeded" | "temporary-reduced-capacity" | "abnormal-usage-detected";

/** What a client is refused for. */
export interface Refusal {
  /** 429 for one client that asks too much, 503 for a server that has too much to do. */
  readonly status: 429 | 503;
  /** The kind of problem. */
  readonly problem: ProblemType;
  /** Milliseconds after which it is worth trying again; `Infinity` for never. */
  readonly retryAfter: number;
  /** The names of the policies that refused. */
  readonly violated: readonly string[];
}

/** Writes the body of a refusal. */
export type BodyWriter = (refusal: Refusal) => AnswerBody;

/** What the option `body` takes. */
export type BodyOption = "problem" | "text" | BodyWriter;

const REGISTRY = "https://iana.org/assignments/http-problem-types#";
const TITLES: Readonly<Record<ProblemType, string>> = {
  "quota-exceeded": "Quota exceeded",
  "temporary-reduced-capacity": "Server overloaded",
  "abnormal-usage-detected": "Abnormal usage detected",
};

function problem(refusal: Refusal): AnswerBody {
  const { status, violated } = refusal;
  const details = {
    type: REGISTRY + refusal.problem,
    title: TITLES[refusal.problem],
    status,
    detail: explain(refusal),
    ...(violated.length > 0 && { "violated-policies": violated }),
  };
  return { type: "application/problem+json", text: JSON.stringify(details) };
}

function text(refusal: Refusal): AnswerBody {
  return { type: "text/plain; charset=utf-8", text: `${TITLES[refusal.problem]}. ${explain(refusal)}\n` };
}

const WRITERS: Readonly<Record<string, BodyWriter>> = { problem, text };

/** Makes a writer of the option `body`. */
export function compileBody(option: BodyOption = "problem"): BodyWriter {
  if (typeof option === "function") return option;
  const writer = Object.hasOwn(WRITERS, option) ? WRITERS[option] : undefined;
  if (writer !== undefined) return writer;
  throw new RangeError(
    `Cannot write bodies as ${JSON.stringify(option)}: body is "problem" or "text". Or pass a function of the refusal.`,
  );
}

function explain({ status, retryAfter, violated }: Refusal): string {
  const names = violated.map((name) => JSON.stringify(name)).join(" and ");
  if (retryAfter === Number.POSITIVE_INFINITY) {
    const quota = names === "" ? "any quota" : `the quota of ${names}`;
    return `The request costs more than ${quota} holds. It can never be admitted.`;
  }
  const wait = `Retry in ${Math.max(1, ceilSeconds(retryAfter))} s.`;
  if (status === 503) return `The server has more to do than it can do now. ${wait}`;
  return `The quota${names === "" ? "" : ` of ${names}`} is used up. ${wait}`;
}
