/** An element of a {@link Heap}; the heap keeps its place in `heapIndex`, -1 while it is in none. */
export interface HeapNode {
  /** Where the heap holds it. Only the heap writes it. */
  heapIndex: number;
}

/** A binary heap whose elements can be taken out from anywhere in O(log n). */
export class Heap<T extends HeapNode> {
  readonly #nodes: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  /** @param before Whether `a` comes out before `b`. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#nodes.length;
  }

  peek(): T | undefined {
    return this.#nodes[0];
  }

  push(node: T): void {
    this.#nodes.push(node);
    this.#rise(node, this.#nodes.length - 1);
  }

  /** Takes `node` out; does nothing when it is not in the heap. */
  remove(node: T): void {
    const index = node.heapIndex;
    if (index < 0) return;
    node.heapIndex = -1;
    const last = this.#nodes.pop() as T;
    if (last === node) return;
    const parent = this.#nodes[(index - 1) >> 1];
    if (index > 0 && this.#before(last, parent as T)) this.#rise(last, index);
    else this.#sink(last, index);
  }

  #rise(node: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#nodes[above] as T;
      if (!this.#before(node, parent)) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(node, index);
  }

  #sink(node: T, from: number): void {
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= this.#nodes.length) break;
      if (below + 1 < this.#nodes.length && this.#before(this.#nodes[below + 1] as T, this.#nodes[below] as T)) below++;
      const child = this.#nodes[below] as T;
      if (!this.#before(child, node)) break;
      this.#place(child, index);
      index = below;
    }
    this.#place(node, index);
  }

  #place(node: T, index: number): void {
    this.#nodes[index] = node;
    node.heapIndex = index;
  }
}
