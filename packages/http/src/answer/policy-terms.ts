/**
 * What a policy promises, in numbers and as header fields say it.
 *
 * @module
 */
import type { Decision } from "@sluice/core";
import { serializeString } from "structured-headers";

/** A quota as header fields say it: made once, used for each request. */
export interface PolicyTerms {
  /** The name of the policy. */
  readonly name: string;
  /** Units at most: what is left never exceeds it. */
  readonly quota: number;
  /** Milliseconds that the quota is for; for a token bucket, those in which an empty one is full again. */
  readonly window: number;
  /**
   * Milliseconds of the longest reset that is told: the window where the quota belongs to
   * one of several rates, as the others, which are not told of, may need far longer; else `Infinity`.
   */
  readonly longestReset: number;
  /** The name as a string of RFC 9651, quoted and escaped. */
  readonly label: string;
  /** The policy as an item of `RateLimit-Policy` in draft 11: `"burst";q=100;w=60`. */
  readonly item: string;
}

/** What one policy decided on one request. */
export interface PolicyDecision {
  /** The name of the policy. */
  readonly name: string;
  /** Units at most. */
  readonly quota: number;
  /** Milliseconds that the quota is for. */
  readonly window: number;
  /** The decision; where another policy refused the request, as things are after units were given back. */
  readonly decision: Decision;
  /** Whether the policy only looks on: its refusals are counted, and clients are not told of it. */
  readonly shadow: boolean;
  /** The policy as header fields say it. */
  readonly terms: PolicyTerms;
}

/** The largest integer of RFC 9651. */
const LARGEST = 999_999_999_999_999;

/**
 * Writes down a policy.
 *
 * @param isOneOfSeveral Whether its bucket has other rates beside the one that the quota belongs to.
 * @throws TypeError for a name that is empty, or that a header field cannot hold.
 */
export function termsOf(name: string, quota: number, window: number, isOneOfSeveral = false): PolicyTerms {
  const label = quoteName(name);
  const longestReset = isOneOfSeveral ? window : Number.POSITIVE_INFINITY;
  const item = `${label};q=${wholeNumber(quota)};w=${windowSeconds(window)}`;
  return { name, quota, window, longestReset, label, item };
}

/** A policy's name as a string of RFC 9651, out of which nothing can break. */
export function quoteName(name: string): string {
  const rule = "a name is text in printable ASCII, since header fields hold no other. Name it as in";
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot name a policy ${JSON.stringify(name)}: ${rule} "burst".`);
  }
  try {
    return serializeString(name);
  } catch (cause) {
    throw new TypeError(`Cannot name a policy ${JSON.stringify(name)}: ${rule} "${transliterate(name)}".`, { cause });
  }
}

/** The number itself, or the largest one that a field can hold. */
export function wholeNumber(value: number): number {
  return value < LARGEST ? value : LARGEST;
}

/** Milliseconds as whole seconds that are no fewer. */
export function ceilSeconds(ms: number): number {
  return wholeNumber(Math.ceil(ms / 1000));
}

/** A window as a positive number of seconds. */
export function windowSeconds(window: number): number {
  return Math.max(1, ceilSeconds(window));
}

function transliterate(name: string): string {
  const plain = name.normalize("NFKD").replace(/[^\w .-]+/g, "");
  return plain.trim() === "" ? "burst" : plain.trim();
}
