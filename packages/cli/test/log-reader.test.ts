import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyTable } from "../src/log/key-table.js";
import { LineSplitter, LONGEST_LINE } from "../src/log/line-splitter.js";
import { LogReader } from "../src/log/log-reader.js";
import { commonLine } from "./harness.js";

/** Texts of whole lines, joined, from bytes cut at the given lengths. */
function split(bytes: Uint8Array, lengths: readonly number[]) {
  const splitter = new LineSplitter();
  let text = "";
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    for (const lines of splitter.split(bytes.subarray(at, at + length))) text += lines;
    at += length;
  }
  return { text: text + splitter.end(), tooLong: splitter.tooLong };
}

/** Reads a log in chunks of `size` bytes. */
async function read(log: string | Uint8Array, size = 2 ** 16) {
  const bytes = Buffer.from(log);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const keys = new KeyTable();
  const reader = new LogReader({ chunks }, { kind: "path", keys, window: 0 });
  const found: string[] = [];
  for await (const batch of reader.read(() => {})) {
    for (let i = 0; i < batch.size; i++) found.push(keys.nameOf(batch.keys[i] as number));
  }
  return { found, malformed: reader.malformed };
}

function get(path: string) {
  return commonLine(0, "192.0.2.1", `GET ${path} HTTP/1.1`);
}

describe("LineSplitter", () => {
  test("gives the same text however the bytes are cut, characters of several bytes included", () => {
    const lengths = fc.array(fc.nat(5), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "é", "\n", "€", "𝄞", "\r\n")), lengths, (parts, cuts) => {
        expect(split(Buffer.from(parts.join("")), cuts)).toEqual({ text: parts.join(""), tooLong: 0 });
      }),
    );
  });

  test("passes over a line that is too long, and over nothing else", () => {
    const log = Buffer.from(`a\n${"b".repeat(LONGEST_LINE + 1)}\nc\n${"d".repeat(LONGEST_LINE)}\ne`);
    for (const cut of [1, 1000, LONGEST_LINE, 2 * LONGEST_LINE, log.length]) {
      const { text, tooLong } = split(log, Array<number>(9).fill(cut));
      expect([text.length, tooLong]).toEqual([LONGEST_LINE + 6, 1]);
      expect(text.startsWith("a\nc\nddd")).toBe(true);
      expect(text.endsWith("d\ne")).toBe(true);
    }
  });

  test("passes over a last line that is too long", () => {
    expect(split(Buffer.from(`a\n${"b".repeat(LONGEST_LINE + 1)}`), [])).toEqual({ text: "a\n", tooLong: 1 });
  });

  test("takes a byte order mark off the beginning only", () => {
    expect(split(Buffer.from("\ufeffa\n\ufeffb\n"), [1, 4]).text).toBe("a\n\ufeffb\n");
  });
});

describe("LogReader", () => {
  test("reads lines ended by LF, CRLF or the end of the log, in chunks of any size", async () => {
    const log = `${get("/a")}\n${get("/b")}\r\n\r\n  \n${get("/é")}`;
    const expected = { found: ["/a", "/b", "/é"], malformed: 0 };
    for (const size of [1, 7, 64, 1000]) expect(await read(log, size)).toEqual(expected);
  });

  test("counts lines that cannot be read, not blank ones, and reads on", async () => {
    expect(await read(`\ufeff${get("/a")}\n\nnonsense\n{"time":1}\n\r\n${get("/b")}\n`)).toEqual({
      found: ["/a", "/b"],
      malformed: 2,
    });
  });

  test("counts a line that is too long as one that cannot be read", async () => {
    expect(await read(`${get("/a")}\n${get("/".repeat(LONGEST_LINE))}\n${get("/b")}`)).toEqual({
      found: ["/a", "/b"],
      malformed: 1,
    });
  });

  test("reads bytes that are no UTF-8 as U+FFFD", async () => {
    const log = Buffer.concat([Buffer.from(get("/a<")), Buffer.from(`\n${get("/b")}\n`)]);
    log[log.indexOf("<")] = 0xff;
    expect((await read(log)).found).toEqual(["/a\ufffd", "/b"]);
  });

  test("reads formats mixed line by line", async () => {
    const json = JSON.stringify({ ts: 1_715_947_200, url: "/json" });
    expect((await read(`${get("/a")}\n${json}\n${get("/b")}`)).found).toEqual(["/a", "/json", "/b"]);
  });
});

describe("KeyTable", () => {
  test("numbers keys in the order of their coming, and keeps apart what UTF-8 would not", () => {
    const keys = new KeyTable();
    const names = ["b", "a", "é", "€", "\ud800", "\udfff", "\ufffd", ""];
    expect(names.map((name) => keys.idOf(name))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(names.map((name) => keys.nameOf(keys.idOf(name)))).toEqual(names);
    expect(keys.size).toBe(8);
  });
});
