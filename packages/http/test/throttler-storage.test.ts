import "reflect-metadata";
import { Controller, Get, type INestApplication, Module } from "@nestjs/common";
import { APP_GUARD, NestFactory, Reflector } from "@nestjs/core";
import {
  getOptionsToken,
  getStorageToken,
  ThrottlerGuard,
  ThrottlerModule,
  type ThrottlerOptions,
} from "@nestjs/throttler";
import { BucketThrottlerStorage, type OpenBucket } from "@sluice/http/throttler-storage";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { statuses } from "./support/ask.js";
import { stores } from "./support/opened.js";

const MINUTE = 60_000;
const inMemory: OpenBucket = (rates, options) => new InMemoryBucket(rates, options);

/** A Nest application whose only route goes through the guard. */
async function serve(open: OpenBucket, throttlers: ThrottlerOptions[]) {
  class Hello {
    hello(): string {
      return "hello";
    }
  }
  Controller()(Hello);
  Get()(Hello.prototype, "hello", Object.getOwnPropertyDescriptor(Hello.prototype, "hello") as PropertyDescriptor);
  class App {}
  const storage = new BucketThrottlerStorage(open);
  const guard = {
    provide: APP_GUARD,
    useFactory: (...made: ConstructorParameters<typeof ThrottlerGuard>) => new ThrottlerGuard(...made),
    inject: [getOptionsToken(), getStorageToken(), Reflector],
  };
  const imports = [ThrottlerModule.forRoot({ throttlers, storage })];
  Module({ imports, controllers: [Hello], providers: [guard] })(App);
  const app: INestApplication = await NestFactory.create(App, { logger: false, forceCloseConnections: true });
  await app.listen(0, "127.0.0.1");
  return { app, storage, url: await app.getUrl(), [Symbol.asyncDispose]: () => app.close() };
}

describe.each(stores())("BucketThrottlerStorage over %s", (_name, open, clock) => {
  test("lets the guard refuse beyond its limit until the block is over, with fields that are true", async () => {
    await using server = await serve(open, [{ ttl: MINUTE, limit: 3 }]);
    const first = await fetch(server.url);
    expect(first.headers.get("x-ratelimit-limit")).toBe("3");
    expect(first.headers.get("x-ratelimit-remaining")).toBe("2");
    expect(first.headers.get("x-ratelimit-reset")).toBe("60");
    expect(await statuses(server.url, 2)).toEqual([200, 200]);
    clock.advance(MINUTE / 2);
    const refused = await fetch(server.url);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("60");
    clock.advance(MINUTE - 1000);
    const still = await fetch(server.url);
    expect(still.status).toBe(429);
    expect(still.headers.get("retry-after")).toBe("1");
    clock.advance(1000);
    expect(await statuses(server.url, 4)).toEqual([200, 200, 200, 429]);
  });

  test("starts anew after a block that is shorter than the window, and what was refused counts nothing", async () => {
    const storage = new BucketThrottlerStorage(open);
    const hit = () => storage.increment("ada", MINUTE, 2, 1000, "default");
    expect(await hit()).toEqual({ totalHits: 1, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    expect(await hit()).toMatchObject({ totalHits: 2, isBlocked: false });
    expect(await hit()).toMatchObject({ totalHits: 3, isBlocked: true, timeToBlockExpire: 1 });
    clock.advance(999);
    expect(await hit()).toMatchObject({ totalHits: 3, isBlocked: true, timeToBlockExpire: 1 });
    clock.advance(1);
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
    expect(await hit()).toMatchObject({ totalHits: 2, isBlocked: false });
    expect(await hit()).toMatchObject({ isBlocked: true });
    await storage.onApplicationShutdown();
  });

  test("without a block refuses until the window ends", async () => {
    const storage = new BucketThrottlerStorage(open);
    const hit = () => storage.increment("ada", MINUTE, 1, 0, "default");
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
    clock.advance(MINUTE / 2);
    expect(await hit()).toEqual({ totalHits: 2, timeToExpire: 30, isBlocked: true, timeToBlockExpire: 30 });
    clock.advance(MINUTE / 2);
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
    await storage.onApplicationShutdown();
  });

  test("keeps throttlers and keys apart", async () => {
    const storage = new BucketThrottlerStorage(open);
    const hit = (key: string, name: string) => storage.increment(key, MINUTE, 1, MINUTE, name);
    expect((await hit("ada", "short")).isBlocked).toBe(false);
    expect((await hit("ada", "short")).isBlocked).toBe(true);
    expect((await hit("ada", "long")).isBlocked).toBe(false);
    expect((await hit("bob", "short")).isBlocked).toBe(false);
    expect((await hit("t ada", "shor")).isBlocked).toBe(false);
    await storage.onApplicationShutdown();
  });

  test("a flood gets what the limit says, whatever the block", async () => {
    for (const blockDuration of [0, 1000, MINUTE, 2 * MINUTE]) {
      const storage = new BucketThrottlerStorage(open);
      const key = `flood ${blockDuration}`;
      const flood = Array.from({ length: 200 }, () => storage.increment(key, MINUTE, 5, blockDuration, "default"));
      const answers = await Promise.all(flood);
      expect(answers.filter(({ isBlocked }) => !isBlocked)).toHaveLength(5);
      clock.advance(Math.max(blockDuration, MINUTE));
      expect(await storage.increment(key, MINUTE, 5, blockDuration, "default")).toMatchObject({ totalHits: 1 });
      await storage.onApplicationShutdown();
    }
  });
});

describe("ThrottlerGuard over a BucketThrottlerStorage", () => {
  test("may have several throttlers, each with a suffix of its own", async () => {
    const throttlers = [
      { name: "short", ttl: 1000, limit: 2 },
      { name: "long", ttl: MINUTE, limit: 100 },
    ];
    await using server = await serve(inMemory, throttlers);
    const first = await fetch(server.url);
    expect(first.headers.get("x-ratelimit-remaining-short")).toBe("1");
    expect(first.headers.get("x-ratelimit-remaining-long")).toBe("99");
  });

  test("closes the buckets with the application", async () => {
    const server = await serve(inMemory, [{ ttl: MINUTE, limit: 2 }]);
    expect(await statuses(server.url, 3)).toEqual([200, 200, 429]);
    await server.app.close();
    await expect(server.storage.increment("ada", MINUTE, 2, 0, "default")).rejects.toThrow(/closed/);
    expect(() => new BucketThrottlerStorage("100/min" as never)).toThrow(TypeError);
  });
});
