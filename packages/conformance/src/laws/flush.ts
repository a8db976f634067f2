import { same } from "../check.js";
import { admitted, type Law } from "../law.js";

/** `flush` forgets one key, or all. */
export const flush: Law = {
  name: "flush forgets one key, or all keys",
  async check({ open }) {
    const subject = await open("2/s");
    const { bucket } = subject;
    for (const key of ["ada", "bob", "eve"]) await admitted(subject, 2, key);
    await bucket.flush("ada");
    same("admitted for the flushed key", await admitted(subject, 3, "ada"), 2);
    same("admitted for another", await admitted(subject, 3, "bob"), 0);
    await bucket.flush();
    for (const key of ["ada", "bob", "eve"]) same(`admitted for ${key}`, await admitted(subject, 3, key), 2);
    await bucket.flush("never seen");
  },
};
