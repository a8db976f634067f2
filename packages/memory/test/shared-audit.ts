import type { SharedMemoryHandle } from "../src/shared/handle.js";
import { Records } from "../src/shared/records.js";
import {
  FREE,
  FREE_COUNT,
  FRESH,
  POOL,
  RECORD_BITS,
  RETIRED,
  RETIRED_COUNT,
  SharedMemory,
} from "../src/shared/shared-memory.js";

/** What is in the buffer of a bucket while no thread works on it. */
export interface Audit {
  /** Keys, as the counter says, and as the chains hold. */
  readonly size: number;
  readonly keys: number;
  /** Records that are in more places than one. */
  readonly doubled: number;
  /** Records that were handed out and are nowhere. */
  readonly lost: number;
}

/** Looks for every record in all places where one can be. */
export function audit({ buffer }: SharedMemoryHandle): Audit {
  const memory = SharedMemory.open(buffer);
  if (memory === undefined) throw new Error("That is not the buffer of a bucket.");
  const chained = [...memory.words].flatMap((head) => follow(memory, head));
  const pooled = follow(memory, Number(BigInt.asUintN(RECORD_BITS, memory.longs[POOL] as bigint)));
  const places = [...chained, ...pooled, ...seated(memory)];
  const distinct = new Set(places).size;
  return {
    size: memory.size,
    keys: chained.length,
    doubled: places.length - distinct,
    lost: (memory.ints[FRESH] as number) - distinct,
  };
}

function follow(memory: SharedMemory, head: number): number[] {
  const records = new Records(memory);
  const found: number[] = [];
  for (let record = head; record !== 0; record = records.next(record)) {
    if (found.push(record) > memory.plan.records) throw new Error("A chain has no end.");
  }
  return found;
}

/** The records that workers hold, those that have left their seats included. */
function seated(memory: SharedMemory): number[] {
  const found: number[] = [];
  for (let seat = 1; seat <= memory.plan.maxWorkers; seat++) {
    const words = memory.ints.subarray(memory.seatAt(seat));
    found.push(...words.subarray(FREE, FREE + (words[FREE_COUNT] as number)));
    found.push(...words.subarray(RETIRED, RETIRED + (words[RETIRED_COUNT] as number)));
  }
  return found;
}
