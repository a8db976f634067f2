/**
 * Rate limits and a queue for overload in front of HTTP servers, and a fetch that behaves.
 *
 * @module
 */
export { type AddressOptions, clientAddress } from "./address/client-address.js";
export type { AddressField } from "./address/hops.js";
export { type ByAddressOptions, type ByHeaderOptions, byAddress, byHeader, type KeyFunction } from "./address/keys.js";
export type { TrustedHosts } from "./address/trusted-hosts.js";
export type { Answer, AnswerBody, Field } from "./answer/answer.js";
export type { BodyOption, BodyWriter, ProblemType, Refusal } from "./answer/body.js";
export { parseRateLimit, type ToldLimit, type ToldLimits } from "./answer/parse-rate-limit.js";
export type { PolicyDecision, PolicyTerms } from "./answer/policy-terms.js";
export type { FieldForm, FieldsOption, Serializer } from "./answer/serializers.js";
export { Gate } from "./gate/gate.js";
export type { GateMetrics } from "./gate/metrics.js";
export type { GateOptions, GateQueueOptions, GateRateLimitOptions } from "./gate/options.js";
export type { Entered, Passage, TurnedAway } from "./gate/passage.js";
export { field, type HttpFields, type HttpRequest } from "./http-request.js";
export { FetchDeadlineError } from "./polite-fetch/fetch-deadline-error.js";
export type { BackoffOptions, PoliteFetchOptions, WaitingLimiter } from "./polite-fetch/options.js";
export type { OutgoingRequest } from "./polite-fetch/outgoing-request.js";
export { politeFetch } from "./polite-fetch/polite-fetch.js";
export type { RateLimiterMetrics } from "./rate-limiter/metrics.js";
export type {
  LimitOptions,
  OnStoreError,
  PolicyOptions,
  PolicyRules,
  RateLimiterOptions,
} from "./rate-limiter/options.js";
export { RateLimiter } from "./rate-limiter/rate-limiter.js";
export type { Admitted, Refused, Verdict } from "./rate-limiter/verdict.js";
export type { QueueAdvice, QueueVerdict } from "./request-queue/advice.js";
export type { QueueMetrics, QueueRejections } from "./request-queue/metrics.js";
export type {
  AcquireSlotOptions,
  CloseQueueOptions,
  QueueOrder,
  RequestQueueOptions,
} from "./request-queue/options.js";
export { QueueFullError, type QueueRefusal } from "./request-queue/queue-full-error.js";
export { RequestQueue } from "./request-queue/request-queue.js";
export { Slot } from "./request-queue/slot.js";
