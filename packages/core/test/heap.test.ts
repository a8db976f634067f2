import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Heap } from "../src/heap.js";

describe("Heap", () => {
  test("gives its elements out in order, whichever were taken out before", () => {
    const steps = fc.array(fc.record({ value: fc.integer(), remove: fc.boolean(), pick: fc.nat() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const heap = new Heap<{ value: number; heapIndex: number }>((a, b) => a.value < b.value);
        const inside: { value: number; heapIndex: number }[] = [];
        for (const { value, remove, pick } of list) {
          if (remove && inside.length > 0) heap.remove(inside.splice(pick % inside.length, 1)[0] as (typeof inside)[0]);
          else {
            const node = { value, heapIndex: -1 };
            inside.push(node);
            heap.push(node);
          }
        }
        const out: number[] = [];
        for (let node = heap.peek(); node !== undefined; node = heap.peek()) {
          out.push(node.value);
          heap.remove(node);
        }
        expect(out).toEqual(inside.map(({ value }) => value).sort((a, b) => a - b));
        expect(inside.every(({ heapIndex }) => heapIndex === -1)).toBe(true);
      }),
    );
  });
});
