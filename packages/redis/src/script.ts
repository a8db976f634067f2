import { createHash } from "node:crypto";
import type { RedisArgument, SendCommand } from "./redis-client.js";

/** A Lua script that Redis keeps, and that is sent anew where Redis has lost it. */
export class Script {
  readonly #text: string;
  readonly #sha: string;

  constructor(...parts: readonly string[]) {
    this.#text = parts.join("");
    this.#sha = createHash("sha1").update(this.#text).digest("hex");
  }

  /** Runs it once. */
  run(send: SendCommand, keys: readonly RedisArgument[], ...values: readonly RedisArgument[]): Promise<unknown> {
    return send("evalsha", this.#sha, keys.length, keys, ...values).then(undefined, (error: unknown) => {
      // This alone says that nothing was run; after any other error it may have been.
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return send("eval", this.#text, keys.length, keys, ...values);
      }
      throw error;
    });
  }
}
