/** Requests side by side in two arrays: when each was made, and by which key of the run's table. */
export class Requests {
  /** Microseconds since 1970. */
  times: Float64Array;
  /** Numbers in a key table. */
  keys: Int32Array;
  size = 0;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
    this.keys = new Int32Array(capacity);
  }

  /** Adds a request at the end. */
  add(time: number, key: number): void {
    if (this.size === this.times.length) this.#grow();
    this.times[this.size] = time;
    this.keys[this.size] = key;
    this.size++;
  }

  /** Adds the requests of another list from `start` up to, not including, `end`. */
  addAll(other: Requests, start: number, end: number): void {
    while (this.size + end - start > this.times.length) this.#grow();
    this.times.set(other.times.subarray(start, end), this.size);
    this.keys.set(other.keys.subarray(start, end), this.size);
    this.size += end - start;
  }

  /** The place of the first request at `time` or later; the requests are in order. */
  firstFrom(time: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.times.length);
    const keys = new Int32Array(2 * this.keys.length);
    times.set(this.times);
    keys.set(this.keys);
    this.times = times;
    this.keys = keys;
  }
}
