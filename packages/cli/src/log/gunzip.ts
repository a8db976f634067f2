import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

const MAGIC = [0x1f, 0x8b];
const CHUNK = 2 ** 18;

/**
 * Unpacks gzip, which is known by its first bytes and not by a file's name; hands on anything else as it is.
 *
 * Several gzip files one behind the other are one, as for `gzip` itself.
 */
export async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await firstBytes(iterator, MAGIC.length);
    const whole = rejoined(head, iterator);
    if (MAGIC.every((byte, i) => head[i] === byte)) yield* gunzipped(whole);
    else yield* whole;
  } finally {
    await iterator.return?.();
  }
}

async function* gunzipped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // An error reaches the loop below through the stream itself.
  pipeline(chunks, gunzip, () => {});
  yield* gunzip;
}

async function firstBytes(iterator: AsyncIterator<Uint8Array>, size: number): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < size) {
    const step = await iterator.next();
    if (step.done) break;
    head = Buffer.concat([head, step.value]);
  }
  return head;
}

async function* rejoined(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
}
