import type { Cell, State } from "@sluice/core";

/** The state of one key, as the kernel sees it and as the row of the key holds it. */
export interface Row {
  /** What the kernel works on. */
  readonly state: State;
  /** Takes the state over from the bytes of a row; `undefined` for a key that has none. */
  load(bytes: Uint8Array | undefined): void;
  /** The bytes for the row, until the next call of any method. */
  bytes(): Uint8Array;
  /** Whether one more put touches nothing but the row, when these are its bytes. */
  standsAlone(bytes: Uint8Array): boolean;
}

/** A row of a fixed number of numbers, and behind them what is known of bookings. */
export class NumbersRow implements Row {
  readonly state: Cell;
  readonly #bytes: Uint8Array;

  constructor(width: number) {
    const numbers = new Float64Array(width);
    this.state = { numbers, offset: 0, booked: undefined };
    this.#bytes = new Uint8Array(numbers.buffer);
  }

  load(bytes: Uint8Array | undefined): void {
    const { length } = this.#bytes;
    if (bytes === undefined) this.#bytes.fill(0);
    else this.#bytes.set(bytes.length === length ? bytes : bytes.subarray(0, length));
    const hasMore = bytes !== undefined && bytes.length > length;
    this.state.booked = hasMore ? [...new Float64Array(Uint8Array.from(bytes.subarray(length)).buffer)] : undefined;
  }

  bytes(): Uint8Array {
    const { booked } = this.state;
    if (booked === undefined) return this.#bytes;
    const { length } = this.#bytes;
    const all = new Uint8Array(length + 8 * booked.length);
    all.set(this.#bytes);
    all.set(new Uint8Array(Float64Array.from(booked).buffer), length);
    return all;
  }

  standsAlone(): boolean {
    return true;
  }
}
