import type { Records } from "./records.js";
import type { Seat } from "./seat.js";
import { KEYS, type SharedMemory } from "./shared-memory.js";
import { damaged, MOST_AT_ONCE, type SpareRecords } from "./spare-records.js";

/**
 * The chains of records, one a hash bucket.
 *
 * A chain never changes: a change builds the next chain out of records that nobody else
 * sees, and shows it by one compare-and-swap of the bucket's word. That fails when another
 * worker was faster, and then nothing has happened. So no worker ever waits for another,
 * and one that ends in the middle leaves nothing half done.
 */
export class Chains {
  readonly #words: Int32Array;
  readonly #records: Records;
  readonly #seat: Seat;
  readonly #seatWords: Int32Array;
  readonly #spare: SpareRecords;
  /** What `open` found: the bucket, the first record of its chain, the key's own (0 for none) and how many lie before it. */
  #bucket = 0;
  #head = 0;
  #record = 0;
  #before = 0;

  constructor(memory: SharedMemory, records: Records, seat: Seat, spare: SpareRecords) {
    this.#words = memory.words;
    this.#records = records;
    this.#seat = seat;
    this.#seatWords = seat.words;
    this.#spare = spare;
  }

  /** Looks a key up, and gives back a record that nobody else sees with its state in it, or that of a new key. */
  open(bucket: number, hashes: Int32Array, place: number): number {
    this.#bucket = bucket;
    do {
      this.#head = this.#seat.pinHead(bucket);
      this.#record = this.#head;
      this.#before = 0;
    } while (this.#head !== 0 && !this.#records.isOf(this.#head, hashes, place) && !this.#lookBehind(hashes, place));
    const next = this.#spare.first(this.#before + 1);
    this.#records.copyState(this.#record, next);
    return next;
  }

  /** Says whether what `open` found is still what there is. */
  confirm(): boolean {
    // The pin vouches for the first record. For others an exchange has to, which also orders these reads before later writes.
    if (this.#record === this.#head) return true;
    return Atomics.compareExchange(this.#words, this.#bucket, this.#head, this.#head) === this.#head;
  }

  /** Whether the key that `open` looked up has no record. */
  get isNew(): boolean {
    return this.#record === 0;
  }

  /** Shows the record that `open` gave back, as it is by now, in place of the one it found. Says whether it could. */
  commit(hashes: Int32Array, place: number): boolean {
    if (this.#before > 0) return this.#commitBehind(hashes, place);
    const head = this.#head;
    const spare = this.#spare;
    const first = spare.at(0);
    this.#records.setKey(first, hashes, place);
    this.#records.setNext(first, head === 0 ? 0 : this.#records.next(head));
    spare.spend(1);
    if (Atomics.compareExchange(this.#words, this.#bucket, head, first) !== head) {
      spare.spend(-1);
      return false;
    }
    if (head === 0) this.#seatWords[KEYS] = (this.#seatWords[KEYS] as number) + 1;
    else spare.retire(head);
    return true;
  }

  /** Does so where other keys' records come first: they are copied, and the key's own is put before them. */
  #commitBehind(hashes: Int32Array, place: number): boolean {
    const records = this.#records;
    const first = this.#spare.at(0);
    const added = this.isNew ? 1 : 0;
    const replaced = this.isNew ? 0 : this.#before + 1;
    let rest = this.isNew ? this.#head : records.next(this.#record);
    let spent = 1;
    for (let record = this.#head; spent < replaced; record = records.next(record)) {
      rest = this.#copy(record, spent++, rest);
    }
    records.setKey(first, hashes, place);
    records.setNext(first, rest);
    return this.#replace(this.#bucket, this.#head, first, { spent, replaced, added });
  }

  /**
   * Drops the records of a bucket that `drop` says yes to.
   *
   * @returns How many; `undefined` when another worker changed the chain meanwhile.
   */
  prune(bucket: number, drop: (record: number) => boolean): number | undefined {
    const head = this.#seat.pinHead(bucket);
    const kept: number[] = [];
    let dropped = 0;
    // The records up to the last that is dropped are replaced, those behind it stay.
    let replaced = 0;
    let copied = 0;
    let rest = head;
    for (let record = head, length = 1; record !== 0; length++) {
      if (length === MOST_AT_ONCE) return this.#checkLength(bucket, head);
      const next = this.#records.next(record);
      if (drop(record)) {
        dropped++;
        replaced = length;
        copied = kept.length;
        rest = next;
      } else kept.push(record);
      record = next;
    }
    if (dropped === 0) {
      return kept.length < 2 || Atomics.compareExchange(this.#words, bucket, head, head) === head ? 0 : undefined;
    }
    this.#spare.first(copied);
    for (let i = 0; i < copied; i++) rest = this.#copy(kept[i] as number, i, rest);
    const done = this.#replace(bucket, head, rest, { spent: copied, replaced, added: -dropped });
    return done ? dropped : undefined;
  }

  /** Looks behind the first record; `false` when another worker changed the chain meanwhile. */
  #lookBehind(hashes: Int32Array, place: number): boolean {
    do {
      this.#record = this.#records.next(this.#record);
      if (++this.#before === MOST_AT_ONCE) return this.#checkLength(this.#bucket, this.#head) !== undefined;
    } while (this.#record !== 0 && !this.#records.isOf(this.#record, hashes, place));
    return true;
  }

  /** A walk that does not end has strayed into records of other chains, if this one has changed meanwhile. */
  #checkLength(bucket: number, head: number): undefined {
    if (Atomics.load(this.#words, bucket) === head) throw damaged("a chain has no end");
  }

  /** Copies a record into spare record number `spare`, with `rest` to follow. */
  #copy(record: number, spare: number, rest: number): number {
    const copy = this.#spare.at(spare);
    this.#records.copy(record, copy);
    this.#records.setNext(copy, rest);
    return copy;
  }

  #replace(bucket: number, head: number, next: number, { spent, replaced, added }: Change): boolean {
    this.#spare.spend(spent);
    if (Atomics.compareExchange(this.#words, bucket, head, next) !== head) {
      this.#spare.spend(-spent);
      return false;
    }
    // A plain write right behind the exchange: engines end a worker at calls and loops, of which there are none between.
    this.#seatWords[KEYS] = (this.#seatWords[KEYS] as number) + added;
    for (let record = head, i = 0; i < replaced; i++) {
      const following = this.#records.next(record);
      this.#spare.retire(record);
      record = following;
    }
    return true;
  }
}

/** What comes with another chain. */
interface Change {
  /** Spare records in the new chain. */
  readonly spent: number;
  /** Records at the beginning of the old one that are not in the new one. */
  readonly replaced: number;
  /** Keys that came, less those that went. */
  readonly added: number;
}
