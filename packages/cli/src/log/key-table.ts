/**
 * The keys of a run, each held once and known by a number from then on.
 *
 * The requests that wait to be put in order hold such a number only.
 */
export class KeyTable {
  readonly #names: string[] = [];
  readonly #ids = new Map<string, number>();

  /** How many keys there are. */
  get size(): number {
    return this.#names.length;
  }

  /** The number of a key: from 0 on, in the order of their coming. */
  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#names.length;
    const copy = detached(name);
    this.#names.push(copy);
    this.#ids.set(copy, id);
    return id;
  }

  /** The key with a number. */
  nameOf(id: number): string {
    return this.#names[id] as string;
  }
}

/** A copy with memory of its own: V8 keeps a whole text alive for a slice of it. */
function detached(text: string): string {
  const encoding = /^[\0-\xff]*$/.test(text) ? "latin1" : "utf16le";
  return Buffer.from(text, encoding).toString(encoding);
}
