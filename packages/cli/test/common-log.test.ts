import { describe, expect, test } from "vitest";
import type { KeyKind } from "../src/log/key-kind.js";
import { LineParser } from "../src/log/line-parser.js";

const LINE = '192.0.2.1 - ada [17/May/2015:10:05:03 +0000] "GET /a/b?c=1 HTTP/1.1" 200 2326';

/** The time (ISO) and key of a line, or `undefined` when it cannot be read. */
function read(line: string, kind: KeyKind = "ip") {
  const parser = new LineParser(kind);
  return parser.read(line) ? [new Date(parser.time / 1000).toISOString(), parser.key] : undefined;
}

function keyOf(line: string, kind: KeyKind) {
  return read(line, kind)?.[1];
}

/** The path of a line with this request. */
function pathOf(request: string) {
  return keyOf(LINE.replace("GET /a/b?c=1 HTTP/1.1", request), "path");
}

describe("LineParser on the Common Log Format", () => {
  test("reads time, address, user and path", () => {
    expect(read(LINE)).toEqual(["2015-05-17T10:05:03.000Z", "192.0.2.1"]);
    expect(keyOf(LINE, "user")).toBe("ada");
    expect(keyOf(LINE, "path")).toBe("/a/b");
    expect(keyOf(LINE, "ip+path")).toBe("192.0.2.1 /a/b");
  });

  test("reads the Combined Log Format, quotes in the agent included", () => {
    expect(keyOf(`${LINE} "http://example.com/" "a \\"b\\" [c] d"`, "path")).toBe("/a/b");
  });

  test("reads IPv6 addresses and host names", () => {
    expect(keyOf(LINE.replace("192.0.2.1", "2001:db8::7"), "ip")).toBe("2001:db8::7");
    expect(keyOf(LINE.replace("192.0.2.1", "client.example"), "ip")).toBe("client.example");
  });

  test.each([
    ["17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03.000Z"],
    ["17/May/2015:10:05:03 +0200", "2015-05-17T08:05:03.000Z"],
    ["17/May/2015:10:05:03 -0730", "2015-05-17T17:35:03.000Z"],
    ["31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00.000Z"],
    ["29/Feb/2024:00:00:00 +0000", "2024-02-29T00:00:00.000Z"],
    ["17/May/2015:10:05:03.25 +0000", "2015-05-17T10:05:03.250Z"],
  ])("reads the time %s", (time, expected) => {
    expect(read(LINE.replace("17/May/2015:10:05:03 +0000", time))?.[0]).toBe(expected);
  });

  test("reads neighbouring times that differ in second, minute or zone only", () => {
    const parser = new LineParser("ip");
    const times = ["10:05:03 +0000", "10:05:04 +0000", "10:06:04 +0000", "10:06:04 +0100", "10:06:04 +0000"];
    const seconds = times.map((time) => {
      expect(parser.read(LINE.replace("10:05:03 +0000", time))).toBe(true);
      return parser.time / 1e6 - 1_431_856_800;
    });
    expect(seconds).toEqual([303, 304, 364, 364 - 3600, 364]);
  });

  test.each([
    ["no line at all", "hello"],
    ["a line cut off in its time", LINE.slice(0, 30)],
    ["a day that is none", LINE.replace("17/May", "31/Feb")],
    ["a month that is none", LINE.replace("May", "Mai")],
    ["an hour that is none", LINE.replace(":10:", ":24:")],
    ["a minute that is none", LINE.replace(":05:", ":60:")],
    ["a line with one name", LINE.replace(" ada", "")],
    ["a second that is none", LINE.replace(":03 ", ":61 ")],
    ["a time without a zone", LINE.replace(" +0000", "")],
    ["a time before 1970", LINE.replace("2015", "1969")],
    ["a time that whole microseconds cannot tell", LINE.replace("2015", "9999")],
    ["a line without an address", LINE.slice("192.0.2.1".length)],
    ["a line without names", LINE.replace(" - ada", "")],
  ])("does not read %s", (_, line) => {
    expect(read(line)).toBeUndefined();
  });

  test("reads the second of a line after one of another minute that could not be read", () => {
    const parser = new LineParser("ip");
    expect(parser.read(LINE.replace("17/May", "31/Feb"))).toBe(false);
    expect(parser.read(LINE.replace("17/May", "31/Feb"))).toBe(false);
    expect(parser.read(LINE)).toBe(true);
  });

  test("a user without a name is -, and a name may hold spaces and brackets", () => {
    expect(keyOf(LINE.replace("ada", "-"), "user")).toBe("-");
    expect(keyOf(LINE.replace("ada", "ada [the first] of all"), "user")).toBe("ada [the first] of all");
  });

  test.each([
    ["GET /x HTTP/1.1", "/x"],
    ["GET /x?a=1?b HTTP/2.0", "/x"],
    ["GET /x", "/x"],
    ["GET /with space HTTP/1.1", "/with space"],
    ["GET http://example.com:80/x?y HTTP/1.1", "/x"],
    ["GET http://example.com HTTP/1.1", "/"],
    ["CONNECT example.com:443 HTTP/1.1", "example.com:443"],
    ["OPTIONS * HTTP/1.1", "*"],
    ['GET /say\\"hi\\" HTTP/1.1', '/say\\"hi\\"'],
    ["GET /back\\\\ HTTP/1.1", "/back\\\\"],
    ["\\x16\\x03\\x01", "\\x16\\x03\\x01"],
    ["-", "-"],
    ["", "-"],
  ])("the path of the request %j is %j", (request, path) => {
    expect(pathOf(request)).toBe(path);
  });

  test("a line without a whole request counts under the path -", () => {
    expect(keyOf(LINE.slice(0, LINE.indexOf("/b")), "path")).toBe("-");
    expect(keyOf(LINE.slice(0, LINE.indexOf(' "')), "path")).toBe("-");
  });
});
