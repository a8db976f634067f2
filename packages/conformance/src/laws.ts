import type { Law } from "./law.js";
import { allOrNothing } from "./laws/all-or-nothing.js";
import { badInput } from "./laws/bad-input.js";
import { bindingRate } from "./laws/binding-rate.js";
import { capacity } from "./laws/capacity.js";
import { charge } from "./laws/charge.js";
import { clockStepBack } from "./laws/clock-step-back.js";
import { close } from "./laws/close.js";
import { concurrency } from "./laws/concurrency.js";
import { count } from "./laws/count.js";
import { exactRefill } from "./laws/exact-refill.js";
import { exactTraces } from "./laws/exact-traces.js";
import { flush } from "./laws/flush.js";
import { halfOpenWindow } from "./laws/half-open-window.js";
import { keys } from "./laws/keys.js";
import { leak } from "./laws/leak.js";
import { peek } from "./laws/peek.js";
import { putMany } from "./laws/put-many.js";
import { randomHistories } from "./laws/random-traces.js";
import { refund } from "./laws/refund.js";
import { refusal } from "./laws/refusal.js";
import { remaining } from "./laws/remaining.js";
import {
  replaceAsTwin,
  replaceBadInput,
  replacedBookings,
  replacedCells,
  replacedLongLog,
  replaceInTime,
  replaceRateLists,
  replaceRates,
} from "./laws/replace-rates.js";
import { bookedUse, cancel, cancelInAnyOrder, cancelLate, reserve } from "./laws/reserve.js";
import { resetAfter } from "./laws/reset-after.js";
import { retryAfter } from "./laws/retry-after.js";
import { timestamps } from "./laws/timestamps.js";
import { weight } from "./laws/weight.js";

/** All laws, the plainest first, so that the first failure says most. */
export const LAWS: readonly Law[] = [
  capacity,
  halfOpenWindow,
  exactRefill,
  timestamps,
  weight,
  remaining,
  retryAfter,
  resetAfter,
  refusal,
  allOrNothing,
  bindingRate,
  peek,
  charge,
  refund,
  reserve,
  cancel,
  cancelInAnyOrder,
  cancelLate,
  bookedUse,
  replaceRates,
  replaceRateLists,
  replaceInTime,
  replacedBookings,
  replacedCells,
  replacedLongLog,
  replaceAsTwin,
  replaceBadInput,
  putMany,
  count,
  clockStepBack,
  leak,
  flush,
  keys,
  concurrency,
  badInput,
  close,
  exactTraces,
  randomHistories,
];
