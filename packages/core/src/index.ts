/**
 * Sluice's abstractions: buckets, clocks, factories, rates and limiters, and five exact algorithms.
 *
 * Imports nothing from Node: it runs in browsers, Deno, Bun and workers.
 *
 * @module
 */
export {
  AbstractBucket,
  type Booking,
  type ReplaceListener,
  type Snapshot,
} from "./abstract-bucket.js";
export { ALGORITHMS } from "./algorithms/algorithms.js";
export { fixedWindow } from "./algorithms/fixed-window.js";
export type { Algorithm, Cell, Kernel, Log, State } from "./algorithms/kernel.js";
export { leakyBucket } from "./algorithms/leaky-bucket.js";
export { MOST_ROWS } from "./algorithms/open-bookings.js";
export { type Booked, cancel, decide, type Operation, operate, reserve } from "./algorithms/operate.js";
export { slidingWindowCounter } from "./algorithms/sliding-window-counter.js";
export { slidingWindowLog } from "./algorithms/sliding-window-log.js";
export { copyState, isFresh, sameState, writeState } from "./algorithms/state.js";
export { tokenBucket } from "./algorithms/token-bucket.js";
export type { BucketOptions } from "./bucket-options.js";
export { Budget, type BudgetLimit, type BudgetOptions, type BudgetWaitOptions, type Units } from "./budget/budget.js";
export { BudgetReservation } from "./budget/budget-reservation.js";
export type { HeadersLike, HeadersRecord } from "./budget/provider-headers.js";
export { cellPrefix, DEFAULT_BUCKET_NAME, keyBytes } from "./cell-name.js";
export { atLeast0, wholeAtLeast } from "./check-number.js";
export { AbstractClock } from "./clock/abstract-clock.js";
export { ManualClock } from "./clock/manual-clock.js";
export { MonotonicClock } from "./clock/monotonic-clock.js";
export { SystemClock } from "./clock/system-clock.js";
export type { ScheduleOptions } from "./clock/system-timer.js";
export type { Decision } from "./decision.js";
export { Duration, toMicroseconds, toMilliseconds } from "./duration.js";
export { type Denial, LimiterError, type LimiterErrorCode, RateLimitExceededError, StoreError } from "./errors.js";
export { BucketFactory, type BucketOf, type FactoryOptions } from "./factory/bucket-factory.js";
export { Leaker } from "./factory/leaker.js";
export { RoutingBucketFactory, type RoutingOptions } from "./factory/routing-bucket-factory.js";
export { SingleBucketFactory } from "./factory/single-bucket-factory.js";
export type { Entry, RateItem } from "./item.js";
export { Limiter } from "./limiter/limiter.js";
export type { AcquireOptions, LimiterOptions, ReserveOptions } from "./limiter/options.js";
export {
  type Fitting,
  type FromCall,
  type Limitable,
  type MethodDecorator,
  type RateLimitedOptions,
  rateLimited,
} from "./limiter/rate-limited.js";
export { Reservation } from "./limiter/reservation.js";
export type { AbortSignalLike } from "./limiter/waiter.js";
export type { OnLimited, WrapOptions, Wrappable, Wrapped } from "./limiter/wrap.js";
export { andThen, lift, type Mode, type Outcome } from "./mode.js";
export {
  type CapacityInfo,
  type LeakyAcquireOptions,
  LeakyBucketQueue,
  type LeakyBucketQueueOptions,
} from "./queue/leaky-bucket-queue.js";
export { describe, Rate, type RateLike, type RatesLike } from "./rate.js";
export { RemoteBucket, type RemoteBucketOptions } from "./remote/remote-bucket.js";
export type { CellAnswer, CellSteps, Step, StepOperation } from "./remote/trip.js";
export type { CarryStrategy, ReplaceStrategy } from "./replace/strategy.js";
export { sleep } from "./sleep.js";
export { validateRates } from "./validate-rates.js";
export { whenAborted } from "./when-aborted.js";
export type { BreakerOptions } from "./wrappers/breaker.js";
export { toAsync } from "./wrappers/to-async.js";
export { type DenyCacheOptions, withDenyCache } from "./wrappers/with-deny-cache.js";
export { type FallbackOptions, withFallback } from "./wrappers/with-fallback.js";
export { type LeaseOptions, withLease } from "./wrappers/with-lease.js";
export {
  type BucketListener,
  type DecisionEvent,
  type ErrorEvent,
  type ObservedOperation,
  withObserver,
} from "./wrappers/with-observer.js";
