import { type FileHandle, open } from "node:fs/promises";
import type { Streams } from "../streams.js";
import { messageOf, UsageError } from "../usage-error.js";
import { unpacked } from "./gunzip.js";

/** Bytes to read at a time: large, since most of the cost of reading is per read. */
const CHUNK = 2 ** 18;

/** The name that stands for standard input. */
export const STANDARD_INPUT = "-";

/** A log that can be read, from its beginning and once. */
export interface LogSource {
  /** As the user wrote it. */
  readonly name: string;
  /** Bytes to read in all; `undefined` where that is not known. */
  readonly size: number | undefined;
  /** Reads it, unpacking gzip; `onRead` learns how many bytes each read took from the source. */
  chunks(onRead: (bytes: number) => void): AsyncIterable<Uint8Array>;
  /** Lets go of it, read or not. */
  close(): void;
}

/**
 * Opens all logs before the first is read, so that a wrong name is told at once.
 *
 * @throws UsageError for what cannot be opened, and for standard input named twice.
 */
export async function openLogs(names: readonly string[], stdin: Streams["stdin"]): Promise<LogSource[]> {
  if (names.filter((name) => name === STANDARD_INPUT).length > 1) {
    throw new UsageError('Cannot read "-" twice: there is one standard input. Name it once.');
  }
  const logs: LogSource[] = [];
  try {
    for (const name of names) logs.push(name === STANDARD_INPUT ? standardInput(stdin) : await openFile(name));
    return logs;
  } catch (error) {
    for (const log of logs) log.close();
    throw error;
  }
}

function standardInput(stdin: Streams["stdin"]): LogSource {
  const chunks: LogSource["chunks"] = (onRead) => readAll(STANDARD_INPUT, stdin, onRead);
  return { name: STANDARD_INPUT, size: undefined, chunks, close: () => {} };
}

async function openFile(name: string): Promise<LogSource> {
  try {
    const file = await open(name);
    const size = await sizeOf(file);
    const stream = file.createReadStream({ highWaterMark: CHUNK });
    return { name, size, chunks: (onRead) => readAll(name, stream, onRead), close: () => stream.destroy() };
  } catch (error) {
    throw cannotRead(name, error);
  }
}

async function sizeOf(file: FileHandle): Promise<number | undefined> {
  const stats = await file.stat();
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : undefined;
  await file.close();
  throw new Error("it is a directory. Name the files in it");
}

async function* readAll(
  name: string,
  input: AsyncIterable<Uint8Array | string>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* unpacked(counted(input, onRead));
  } catch (error) {
    throw cannotRead(name, error);
  }
}

async function* counted(
  input: AsyncIterable<Uint8Array | string>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    onRead(bytes.length);
    yield bytes;
  }
}

function cannotRead(name: string, error: unknown): UsageError {
  return new UsageError(`Cannot read ${JSON.stringify(name)}: ${reasonOf(error)}.`, { cause: error });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file. Check its name, or pass - for standard input";
  if (code === "EACCES") return "it may not be read. Ask for permission, or pass it on standard input as -";
  if (code === "EISDIR") return "it is a directory. Name the files in it";
  if (code.startsWith("Z_"))
    return `its gzip data is broken (${messageOf(error)}). Check the file, or unpack as much as there is`;
  return messageOf(error);
}
