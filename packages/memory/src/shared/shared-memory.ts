/**
 * Where everything lies in the one buffer that the threads share.
 *
 * A header of counters; a seat for each worker; a word for each hash bucket, which is the
 * number of the first record of its chain; and the records. A buffer of zeros is an empty
 * table, and pages that nobody has touched yet take no memory.
 *
 * @module
 */

/** What the buffer is made for. */
export interface Dimensions {
  readonly maxKeys: number;
  /** How many seats there are. */
  readonly maxWorkers: number;
  /** Numbers that the state of a key takes. */
  readonly width: number;
  /** Numbers that a record has room for beside those, to keep what is known of bookings. */
  readonly room: number;
}

/** Says that a buffer is one of these, in this layout. */
const MAGIC = 0x51_0c_e5_02;
/** Words of 32 bits in a cache line: what several workers write stands that far apart. */
const LINE = 16;

// The header, in words of 32 bits: the magic number and the dimensions come first.

/** The secret of the hash, in four words, and a hash of what the buffer is for, in two. */
export const SECRET = 4;
export const PURPOSE = 8;
const ROOM = 10;
/** How many handles were given out. */
export const HANDLES = 12;
/** Records that were handed out at least once. */
export const FRESH = LINE;
/** Where eviction and the sweeps go on. */
export const EVICTION_HAND = 2 * LINE;
export const SWEEP_HAND = 3 * LINE;
/** The highest seat that was ever taken. */
export const HIGHEST_SEAT = 4 * LINE;
/** Words of 64 bits: the pool of records that are handed out again, and the count of evictions. */
export const POOL = (5 * LINE) / 2;
export const EVICTIONS = (6 * LINE) / 2;
const HEADER = 7 * LINE;

/** Words of a seat: the number of the handle by which its worker came, and the record that it looks at. */
export const HOLDER = 0;
export const PIN = 1;
/** How many records its worker may write in at once, how many it has taken out of chains, and their numbers. */
export const FREE_COUNT = 2;
export const RETIRED_COUNT = 3;
/** Keys that were added from this seat, less those that were dropped from it. */
export const KEYS = 4;
export const FREE = LINE;
export const RETIRED = 3 * LINE;
export const MOST_FREE = RETIRED - FREE;
export const MOST_RETIRED = 2 * LINE;
export const SEAT = RETIRED + MOST_RETIRED;

/** Words of 64 bits that a record takes before its numbers, for whose it is and which record follows. */
const RECORD_HEAD = 2;
/** A record goes by where it lies, in words of 64 bits, and that takes so many bits at most. */
export const RECORD_BITS = 28;
const FEWEST_BUCKETS = 64;

/** The buffer, seen through typed arrays. */
export class SharedMemory {
  readonly ints: Int32Array;
  readonly longs: BigInt64Array;
  readonly floats: Float64Array;
  /** One word for each hash bucket: a power of two of them. */
  readonly words: Int32Array;

  private constructor(
    readonly buffer: SharedArrayBuffer,
    readonly plan: Plan,
  ) {
    this.ints = new Int32Array(buffer);
    this.longs = new BigInt64Array(buffer);
    this.floats = new Float64Array(buffer);
    this.words = new Int32Array(buffer, 4 * plan.wordsAt, plan.buckets);
  }

  /** An empty buffer. */
  static create(dimensions: Dimensions): SharedMemory {
    const plan = lay(dimensions);
    const memory = new SharedMemory(new SharedArrayBuffer(plan.bytes), plan);
    memory.ints.set([MAGIC, dimensions.maxKeys, dimensions.maxWorkers, dimensions.width]);
    memory.ints[ROOM] = dimensions.room;
    return memory;
  }

  /** The buffer that another thread has created; `undefined` for one that is not of this kind. */
  static open(buffer: SharedArrayBuffer): SharedMemory | undefined {
    if (buffer.byteLength < 4 * HEADER) return undefined;
    const ints = new Int32Array(buffer, 0, HEADER);
    const [magic, maxKeys = 0, maxWorkers = 0, width = 0] = ints;
    if (magic !== MAGIC) return undefined;
    const plan = lay({ maxKeys, maxWorkers, width, room: ints[ROOM] as number });
    return buffer.byteLength === plan.bytes ? new SharedMemory(buffer, plan) : undefined;
  }

  /** Keys that are held. */
  get size(): number {
    let size = 0;
    for (let seat = Atomics.load(this.ints, HIGHEST_SEAT); seat > 0; seat--) {
      size += this.ints[this.seatAt(seat) + KEYS] as number;
    }
    return size;
  }

  /** Where a seat lies, in words of 32 bits; seats are numbered from 1. */
  seatAt(seat: number): number {
    return HEADER + (seat - 1) * SEAT;
  }
}

/** Where the parts of the buffer lie. */
export interface Plan extends Dimensions {
  readonly buckets: number;
  /** Where the words of the buckets begin, in words of 32 bits. */
  readonly wordsAt: number;
  readonly records: number;
  /** The first record, and how far it is to the next, in words of 64 bits. */
  readonly firstRecord: number;
  readonly recordSize: number;
  readonly bytes: number;
}

/** Lays the parts of a buffer out. */
export function lay({ maxKeys, maxWorkers, width, room }: Dimensions): Plan {
  // Between a third and two thirds of a record for each word: most chains are one record long.
  const buckets = Math.max(FEWEST_BUCKETS, 2 ** Math.ceil(Math.log2(1.5 * maxKeys)));
  // What workers hold for themselves is not to be missed by the keys.
  const records = maxKeys + maxWorkers * (MOST_FREE + MOST_RETIRED);
  const wordsAt = HEADER + maxWorkers * SEAT;
  const firstRecord = (wordsAt + buckets) / 2;
  const recordSize = RECORD_HEAD + width + room;
  const bytes = 8 * (firstRecord + records * recordSize);
  return { maxKeys, maxWorkers, width, room, buckets, wordsAt, records, firstRecord, recordSize, bytes };
}
