import { AbstractClock, toMilliseconds } from "@sluice/core";
import { checkClient, type RedisClient, type SendCommand, sender } from "./redis-client.js";

/**
 * The clock of a Redis server: milliseconds since 1970, to the microsecond. Each look is a trip.
 *
 * A {@link RedisBucket} goes by it without a trip of its own, where no other clock is named.
 */
export class RedisClock extends AbstractClock<"async"> {
  readonly #send: SendCommand;

  constructor(client: RedisClient) {
    super();
    this.#send = sender(checkClient(client));
  }

  override async now(): Promise<number> {
    const [seconds, microseconds] = (await this.#send("time")) as [Buffer, Buffer];
    return toMilliseconds(Number(seconds) * 1_000_000 + Number(microseconds));
  }
}
