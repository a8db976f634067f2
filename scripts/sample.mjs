/**
 * A sample of web traffic in the Combined Log Format, made from a seed: the same each time.
 *
 * A day of it: many callers who come now and then, a few who come all the time, and
 * crawlers that come in bursts. Lines stand in the order in which requests ended.
 */
import { once } from "node:events";
import { createWriteStream, renameSync } from "node:fs";
import { pathToFileURL } from "node:url";

const DAY = 86_400;
const START = Date.UTC(2026, 2, 14) / 1000;
const PAGES = [
  "/",
  "/docs",
  "/docs/quick-start",
  "/pricing",
  "/blog",
  "/api/items",
  "/api/search?q=rate",
  "/login",
  "/feed.xml",
];
const BROWSERS = ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Macintosh)", "curl/8.9.1", "ExampleBot/2.1"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A generator of numbers from 0 to 1 (mulberry32). */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The lines of the sample, in the order in which the requests ended. */
export function* sampleLines(requests, seed = 1) {
  const random = randomNumbers(seed);
  const callers = Math.max(10, Math.round(requests / 40));
  const bursts = Array.from({ length: 12 }, () => ({ at: random() * DAY, caller: Math.floor(random() * 40) }));
  let waiting = [];
  for (let i = 0; i < requests; i++) {
    const time = timeOfRequest(i / requests) + 20 * random();
    const burst = bursts.find(({ at }) => time >= at && time < at + 90);
    const caller = burst !== undefined && random() < 0.5 ? burst.caller : Math.floor(callers * random() ** 3);
    const took = random() < 0.02 ? 20 * random() : random();
    waiting.push({ end: time + took, line: line(random, Math.floor(time), caller) });
    if (waiting.length < 512) continue;
    waiting.sort((a, b) => a.end - b.end);
    for (const { line: text } of waiting.slice(0, 256)) yield text;
    waiting = waiting.slice(256);
  }
  waiting.sort((a, b) => a.end - b.end);
  for (const { line: text } of waiting) yield text;
}

/** The second of the day at which a share of all requests has come: nights are quieter than days. */
function timeOfRequest(share) {
  return DAY * (share + 0.09 * Math.sin(2 * Math.PI * share));
}

/** Addresses of the documentation ranges: these callers exist nowhere. */
function addressOf(caller) {
  if (caller < 768) return `${["192.0.2", "198.51.100", "203.0.113"][caller >> 8]}.${caller & 255}`;
  return `2001:db8:${(caller >> 8).toString(16)}::${(caller & 255).toString(16)}`;
}

/** Writes a sample to a file. */
export async function writeSample(file, requests, seed = 1) {
  const stream = createWriteStream(`${file}.part`);
  let block = "";
  for (const text of sampleLines(requests, seed)) {
    block += text;
    if (block.length < 2 ** 18) continue;
    if (!stream.write(block)) await once(stream, "drain");
    block = "";
  }
  stream.end(block);
  await once(stream, "finish");
  renameSync(`${file}.part`, file);
}

function line(random, second, caller) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const page = pick(PAGES);
  return `${addressOf(caller)} - - [${stamp(second)}] "GET ${page} HTTP/1.1" ${random() < 0.97 ? 200 : 404} ${Math.floor(random() * 50_000)} "-" "${pick(BROWSERS)}"\n`;
}

function stamp(second) {
  const date = new Date((START + second) * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, requests = "1000000", seed = "1"] = process.argv.slice(2);
  if (file === undefined) {
    process.stderr.write("Usage: node scripts/sample.mjs FILE [REQUESTS] [SEED]\n");
    process.exit(2);
  }
  await writeSample(file, Number(requests), Number(seed));
}
