import { randomUUID } from "node:crypto";
import { openLimiter } from "sluice";
import { describe, expect, test } from "vitest";
import { clusterNodes, postgresUrl, redisUrl } from "../servers/urls.js";

/** The stores that share, and one line to open each. */
const STORES = {
  redis: () => redisUrl(),
  "redis+cluster": async () =>
    `redis+cluster://${(await clusterNodes()).map(({ host, port }) => `${host}:${port}`).join(",")}`,
  postgres: () => postgresUrl(),
};

describe("openLimiter()", () => {
  test.each(Object.entries(STORES))("shares one limit between all who open %s", async (_, url) => {
    const name = randomUUID();
    await using one = await openLimiter(await url(), ["3/h", "5/d"], { name });
    await using other = await openLimiter(await url(), ["3/h", "5/d"], { name });
    await using stranger = await openLimiter(await url(), ["3/h", "5/d"], { name: `${name} too` });
    expect(await one.tryAcquire("ada", 2)).toBe(true);
    expect(await other.consume("ada")).toMatchObject({ allowed: true, remaining: 0 });
    expect(await one.tryAcquire("ada")).toBe(false);
    expect(await stranger.consume("ada")).toMatchObject({ allowed: true, remaining: 2 });
    await other.refund("ada", 1);
    expect(await one.tryAcquire("ada")).toBe(true);
  });
});
