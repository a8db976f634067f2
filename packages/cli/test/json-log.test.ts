import { describe, expect, test } from "vitest";
import type { KeyKind } from "../src/log/key-kind.js";
import { LineParser } from "../src/log/line-parser.js";

const TIME = { time: "2024-05-17T12:00:00Z" };

function keyOf(record: object, kind: KeyKind) {
  const parser = new LineParser(kind);
  return parser.read(JSON.stringify({ ...TIME, ...record })) ? parser.key : undefined;
}

/** Seconds after 2024-05-17T12:00:00Z, or `undefined` when the line cannot be read. */
function secondsOf(fields: object) {
  const parser = new LineParser("ip");
  return parser.read(JSON.stringify({ ip: "192.0.2.1", ...fields })) ? parser.time / 1e6 - 1_715_947_200 : undefined;
}

describe("LineParser on JSON lines", () => {
  test.each([
    { time: "2024-05-17T12:00:05Z" },
    { timestamp: "2024-05-17T12:00:05.000Z" },
    { "@timestamp": "2024-05-17T14:00:05+02:00" },
    { ts: 1_715_947_205 },
    { ts: 1_715_947_205_000 },
    { date: "2024-05-17 12:00:05" },
    { time_iso8601: "2024-05-17T10:30:05-01:30" },
    { time_local: "17/May/2024:12:00:05 +0000" },
    { msec: "1715947205.000" },
    { time: "soon", msec: 1_715_947_205 },
  ])("reads the time of %j", (fields) => {
    expect(secondsOf(fields)).toBe(5);
  });

  test.each([
    { ts: 1_715_947_205.123456 },
    { ts: 1_715_947_205_123.456 },
    { msec: "1715947205.123456" },
    { time: "2024-05-17T12:00:05.123456Z" },
    { time: "2024-05-17T12:00:05,123456Z" },
  ])("keeps the fraction of %j to the microsecond", (fields) => {
    expect(secondsOf(fields)).toBeCloseTo(5.123456, 6);
  });

  test.each([
    {},
    { time: "yesterday" },
    { time: "2024-02-30T12:00:05Z" },
    { time: "2024-05-17T24:00:05Z" },
    { time: "2024-05-17" },
    { time: -5 },
    { time: null },
    { time: {} },
    { time: 1e300 },
  ])("does not read a line whose time is %j", (fields) => {
    expect(secondsOf(fields)).toBeUndefined();
  });

  test.each([
    { ip: "192.0.2.9" },
    { remote_addr: "192.0.2.9" },
    { remoteAddress: "192.0.2.9" },
    { client_ip: "192.0.2.9" },
    { clientip: "192.0.2.9" },
    { remote_ip: "192.0.2.9" },
    { host: "192.0.2.9" },
    { remote_addr: "192.0.2.9:4711" },
    { request: { remote_ip: "192.0.2.9", host: "example.com" } },
    { req: { remoteAddress: "192.0.2.9" }, host: "server-1" },
    { httpRequest: { remoteIp: "192.0.2.9" } },
  ])("reads the address of %j", (fields) => {
    expect(keyOf(fields, "ip")).toBe("192.0.2.9");
  });

  test("reads IPv6 addresses, with or without a port", () => {
    expect(keyOf({ ip: "2001:db8::7" }, "ip")).toBe("2001:db8::7");
    expect(keyOf({ ip: "[2001:db8::7]:443" }, "ip")).toBe("2001:db8::7");
  });

  test.each([
    { path: "/a" },
    { url: "/a?b=1" },
    { uri: "https://example.com/a?b=1" },
    { request_uri: "/a" },
    { request: "GET /a?b HTTP/1.1" },
    { request: { uri: "/a?b" } },
    { req: { url: "/a?b" } },
    { httpRequest: { requestUrl: "https://example.com/a" } },
  ])("reads the path of %j", (fields) => {
    expect(keyOf(fields, "path")).toBe("/a");
  });

  test.each([{ user: "7" }, { remote_user: "7" }, { username: "7" }, { user_id: 7 }, { user: "", user_id: 7 }])(
    "reads the user of %j",
    (fields) => {
      expect(keyOf(fields, "user")).toBe("7");
    },
  );

  test("an empty user is -", () => {
    expect(keyOf({ remote_user: "" }, "user")).toBe("-");
  });

  test("joins address and path with one space", () => {
    expect(keyOf({ ip: "192.0.2.9", url: "/a?b" }, "ip+path")).toBe("192.0.2.9 /a");
  });

  test("does not read a line without a field of the key", () => {
    expect(keyOf({ path: "/a" }, "ip")).toBeUndefined();
    expect(keyOf({ ip: "" }, "ip")).toBeUndefined();
    expect(keyOf({ ip: "192.0.2.9" }, "path")).toBeUndefined();
    expect(keyOf({ ip: "192.0.2.9" }, "ip+path")).toBeUndefined();
    expect(keyOf({ ip: "192.0.2.9" }, "user")).toBeUndefined();
  });

  test("does not read broken JSON", () => {
    expect(new LineParser("ip").read('{"time":"2024-05-17T12:00:00Z","ip":"192.0.2.9"')).toBe(false);
  });
});
