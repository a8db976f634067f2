import { same } from "../check.js";
import type { Law } from "../law.js";

/** However many ask at once, the capacity is admitted. */
export const concurrency: Law = {
  name: "100 callers at once on a cold key admit exactly the capacity",
  async check({ open }) {
    const { bucket } = await open(["20/min", "30/h"]);
    const decisions = await Promise.all(Array.from({ length: 100 }, async () => await bucket.put({ key: "cold" })));
    same("admitted", decisions.filter(({ allowed }) => allowed).length, 20);
    const many = Array.from(
      { length: 10 },
      async () => await bucket.putMany(Array.from({ length: 10 }, () => ({ key: "cold too" }))),
    );
    same("admitted by putMany", (await Promise.all(many)).flat().filter(({ allowed }) => allowed).length, 20);
  },
};
