import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { describe, expect, test } from "vitest";
import { redisUrl } from "../servers/urls.js";
import { Load } from "./load.js";

/** A way to a server on which connections can fall silent: open, and yet nothing comes through any more. */
async function silenceable(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const ways = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(ways, "listening");
  return {
    url: `redis://127.0.0.1:${(ways.address() as { port: number }).port}`,
    silence() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      ways.close();
      await once(ways, "close");
    },
  };
}

describe("RedisBucket, when its connection falls silent", () => {
  test("gives the connection up, and service comes back by itself on a new one", async () => {
    await using way = await silenceable(await redisUrl());
    const options = { algorithm: tokenBucket, timeout: 200, name: randomUUID() };
    await using bucket = await RedisBucket.open(way.url, "1000/30d", options);
    await bucket.put({ key: "ada" });
    way.silence();
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    const load = new Load(bucket, "ada", 1);
    await load.answers(1);
    await load.stop();
  });

  test("close ends in time although nothing answers", async () => {
    await using way = await silenceable(await redisUrl());
    const bucket = await RedisBucket.open(way.url, "1000/30d", { timeout: 200 });
    way.silence();
    const start = performance.now();
    await bucket.close();
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
