/** What a {@link RequestQueue} has counted since it was made, or since {@link RequestQueue.resetMetrics}. */
export interface QueueMetrics {
  /** Who got a slot, at once or after a wait. */
  readonly admitted: number;
  /** Who had to wait, whatever became of them. */
  readonly queued: number;
  /** Who got none, by reason. */
  readonly rejected: QueueRejections;
  /** Mean of the milliseconds waited by those who waited and got a slot; 0 where none did. */
  readonly averageWait: number;
  /** Most milliseconds that any of them waited. */
  readonly longestWait: number;
  /** Share of those refused by the queue, for want of room or of time, among them and the admitted: 0 to 1. */
  readonly rejectionRate: number;
  /** Share of those who found the queue full, or nine tenths full, among all who came: 0 to 1. */
  readonly crowdedRate: number;
  /** Most who were seen to wait at a time. */
  readonly peakDepth: number;
  /** Most who were seen at work at a time. */
  readonly peakActive: number;
}

/** Who got no slot. */
export interface QueueRejections {
  /** There was no room, or somebody took theirs. */
  readonly full: number;
  /** None came free within `maxWait`. */
  readonly timeout: number;
  /** Their signal was raised: they hung up. */
  readonly aborted: number;
  /** The queue was closed. */
  readonly closed: number;
}

/** The counts behind {@link QueueMetrics}. */
export class Counts {
  admitted = 0;
  queued = 0;
  crowded = 0;
  full = 0;
  timeout = 0;
  aborted = 0;
  closed = 0;
  peakDepth = 0;
  peakActive = 0;
  #served = 0;
  #waited = 0;
  #longest = 0;

  /** One who waited got a slot. */
  serve(waited: number): void {
    this.admitted++;
    this.#served++;
    this.#waited += waited;
    if (waited > this.#longest) this.#longest = waited;
  }

  /** One joined those who wait, who now are `depth`. */
  join(depth: number): void {
    this.queued++;
    if (depth > this.peakDepth) this.peakDepth = depth;
  }

  read(): QueueMetrics {
    const { admitted, queued, crowded, full, timeout, aborted, closed, peakDepth, peakActive } = this;
    const refused = full + timeout;
    return {
      admitted,
      queued,
      rejected: { full, timeout, aborted, closed },
      averageWait: share(this.#waited, this.#served),
      longestWait: this.#longest,
      rejectionRate: share(refused, admitted + refused),
      crowdedRate: share(crowded, admitted + refused + aborted),
      peakDepth,
      peakActive,
    };
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
