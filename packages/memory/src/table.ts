/**
 * The cells of many keys, in typed arrays: a map finds a key's slot, and there is no object a key.
 *
 * @module
 */
import type { Kernel, State } from "@sluice/core";
import { type Cursor, Slots } from "./slots.js";

/** Up to so many cells and log entries can be moved, or taken out of a map one by one, without a pause that anybody notices. */
const FEW = 32_768;
/** The share of `maxKeys` from which on eviction is near. */
const CROWDED = 0.75;
/** How many keys in use eviction passes over before it takes one of them. */
const EVICTION_REACH = 64;

/** Finds, adds and drops cells. A state that it gives out is a cursor, good until the next call. */
export class Table {
  /** The state of a key that is not there. */
  readonly blank: State;
  readonly #kernel: Kernel;
  readonly #maxKeys: number;
  readonly #onEviction: () => void;
  #slotOf = new Map<string, number>();
  #slots: Slots;
  /** The cursor of the slots and their width, kept here for the hot path. */
  #cursor: Cursor;
  #width: number;
  /** Whether uses of keys are noted: while a sweep gathers those that stay, and when eviction is near. */
  #watching = false;
  #evictionHand: Iterator<[string, number]> | undefined;
  #sweepHand: Iterator<[string, number]> | undefined;
  /** During a sweep of a large table, the keys that are to stay: those that count, and those used since it began. */
  #staying: Map<string, number> | undefined;
  /** Whether the sweep that is under way began by gathering the keys that stay. */
  #gathering = false;
  /** What it would take to move all that stays: cells and log entries. */
  #effort = 0;
  /** Whether the next sweep drops cells one by one, since the last found too many to move. */
  #dropNext = false;

  /** @param onEviction Called when a key is dropped although its cell counts, to make room. */
  constructor(kernel: Kernel, maxKeys: number, onEviction: () => void) {
    this.#kernel = kernel;
    this.#maxKeys = maxKeys;
    this.#onEviction = onEviction;
    this.#slots = new Slots(kernel);
    this.#cursor = this.#slots.cursor;
    this.#width = this.#slots.width;
    this.blank = new Slots(kernel).at(0);
  }

  /** Keys that are held. */
  get size(): number {
    return this.#slotOf.size;
  }

  /** The state of a key, or `undefined` where it has none. */
  find(key: string): State | undefined {
    const slot = this.#slotOf.get(key);
    if (slot === undefined) return undefined;
    if (this.#watching) this.#note(key, slot);
    this.#cursor.offset = slot * this.#width;
    return this.#cursor;
  }

  /** Makes room for a key that is not there; gives back its state, all new. */
  add(key: string, now: number): State {
    if (this.size >= this.#maxKeys) this.#evict(now);
    const slot = this.#slots.take();
    this.#slotOf.set(key, slot);
    if (this.#isCrowded()) this.#watching = true;
    return this.#slots.at(slot);
  }

  /** Drops one key. */
  delete(key: string): void {
    const slot = this.#slotOf.get(key);
    if (slot !== undefined) this.#drop(key, slot);
  }

  /** Drops all keys and gives all memory back. */
  clear(): void {
    this.#replace(new Map());
  }

  /**
   * Drops cells that are as good as new, from where the last sweep stopped, until all
   * were seen or `pause` says to stop.
   *
   * A map that loses most of its keys one by one moves the rest at some point, all at
   * once. So a sweep of a large table first gathers the keys that stay; when they are
   * few, it moves them and lets go of everything else. When they are not, the next sweep drops one by one.
   *
   * @returns How many were dropped, and whether the end was reached.
   */
  sweep(now: number, pause: () => boolean): { dropped: number; done: boolean } {
    const before = this.size;
    if (this.#sweepHand === undefined) this.#beginSweep();
    const hand = this.#sweepHand as Iterator<[string, number]>;
    for (let step = hand.next(); !step.done; step = hand.next()) {
      this.#visit(...step.value, now);
      if (pause()) return { dropped: before - this.size, done: false };
    }
    this.#endSweep();
    return { dropped: before - this.size, done: true };
  }

  /** Drops all cells that are as good as new, at once; gives back how many. */
  leak(now: number): number {
    // Whatever a sweep has gathered so far, this looks at every cell and drops one by one.
    this.#stopGathering();
    this.#sweepHand = undefined;
    this.#dropNext = true;
    return this.sweep(now, () => false).dropped;
  }

  #note(key: string, slot: number): void {
    this.#slots.noteUse(slot);
    if (this.#staying !== undefined) this.#keep(key, slot);
  }

  #beginSweep(): void {
    this.#sweepHand = this.#slotOf.entries();
    this.#effort = 0;
    this.#gathering = this.size > FEW && !this.#dropNext;
    if (!this.#gathering) return;
    this.#staying = new Map();
    this.#watching = true;
  }

  #endSweep(): void {
    this.#sweepHand = undefined;
    const staying = this.#staying;
    this.#dropNext = this.#gathering && staying === undefined;
    const isSparse = this.size * 4 < this.#slots.capacity && this.#effort <= FEW;
    if (staying !== undefined) this.#replace(staying);
    else if (isSparse) this.#replace(this.#slotOf);
  }

  #stopGathering(): void {
    this.#staying = undefined;
    this.#watching = this.#isCrowded();
  }

  #isCrowded(): boolean {
    return this.size > this.#maxKeys * CROWDED;
  }

  #visit(key: string, slot: number, now: number): void {
    const counts = this.#kernel.reset(this.#slots.at(slot), now, 0) > 0;
    if (counts) this.#keep(key, slot);
    else if (this.#staying === undefined) this.#drop(key, slot);
  }

  /** Notes that a key stays, unless too much would have to be moved: then nothing is gathered any more. */
  #keep(key: string, slot: number): void {
    if (this.#staying?.has(key)) return;
    this.#staying?.set(key, slot);
    this.#effort += this.#slots.effort(slot);
    if (this.#effort > FEW) this.#stopGathering();
  }

  #drop(key: string, slot: number): void {
    this.#slots.release(slot);
    this.#slotOf.delete(key);
    this.#staying?.delete(key);
  }

  /** Moves the given keys into new arrays and lets go of all others. */
  #replace(staying: Map<string, number>): void {
    const slots = new Slots(this.#kernel);
    const slotOf = new Map<string, number>();
    for (const [key, slot] of staying) slotOf.set(key, slots.takeFrom(this.#slots, slot));
    this.#slots = slots;
    this.#cursor = slots.cursor;
    this.#slotOf = slotOf;
    this.#stopGathering();
    this.#sweepHand = undefined;
    this.#evictionHand = undefined;
  }

  /**
   * Makes room for one key: the oldest that was not used since eviction last came by.
   *
   * This is SIEVE (Zhang et al., NSDI 2024): one bit a key, and a flood of new keys
   * evicts itself before it evicts those that keep coming.
   */
  #evict(now: number): void {
    for (let passed = 0; ; ) {
      const [key, slot] = this.#nextToEvict();
      const counts = this.#kernel.reset(this.#slots.at(slot), now, 0) > 0;
      if (counts && this.#slots.wasUsed(slot) && passed < EVICTION_REACH) {
        this.#slots.forgetUse(slot);
        passed++;
        continue;
      }
      if (counts) this.#onEviction();
      this.#drop(key, slot);
      return;
    }
  }

  /** The next key in the order of their coming; after the last comes the first. */
  #nextToEvict(): [string, number] {
    this.#evictionHand ??= this.#slotOf.entries();
    const step = this.#evictionHand.next();
    if (!step.done) return step.value;
    this.#evictionHand = undefined;
    return this.#nextToEvict();
  }
}
