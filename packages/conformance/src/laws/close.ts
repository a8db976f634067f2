import { fails } from "../check.js";
import type { Law } from "../law.js";

/** A closed bucket says so. */
export const close: Law = {
  name: "close is idempotent, and a closed bucket refuses to work",
  async check({ open }) {
    const { bucket } = await open("5/s");
    await bucket.put({ key: "ada" });
    await bucket.close();
    await bucket.close();
    await fails("put", () => bucket.put({ key: "ada" }), "LimiterError");
    await fails("tryPut", () => bucket.tryPut("ada"), "LimiterError");
    await fails("putMany", () => bucket.putMany([]), "LimiterError");
    await fails("count", () => bucket.count("ada"), "LimiterError");
    await fails("leak", () => bucket.leak(), "LimiterError");
    await fails("flush", () => bucket.flush(), "LimiterError");
  },
};
