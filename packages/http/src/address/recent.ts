/**
 * Remembers what was computed for recent texts: at most `2 * size` of them, the oldest forgotten first.
 *
 * Two generations do it without a list to keep in order: what is asked for moves into
 * the younger one, and the older one is dropped whole.
 */
export class Recent<T> {
  readonly #size: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(size: number) {
    this.#size = size;
  }

  /** What is remembered for the text. */
  get(text: string): T | undefined {
    const value = this.#young.get(text);
    if (value !== undefined) return value;
    const old = this.#old.get(text);
    return old === undefined ? undefined : this.add(text, old);
  }

  /** Remembers a value, and gives it back. */
  add(text: string, value: T): T {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
    return value;
  }
}
