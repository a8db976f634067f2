import type { KeyKind } from "./key-kind.js";
import type { KeyTable } from "./key-table.js";
import { LineParser } from "./line-parser.js";
import { LineSplitter } from "./line-splitter.js";
import type { LogSource } from "./open-log.js";
import { ReorderBuffer } from "./reorder-buffer.js";
import type { Requests } from "./requests.js";

/** How to read a log. */
export interface ReadOptions {
  /** What a request is counted under. */
  readonly kind: KeyKind;
  /** The keys of the run. */
  readonly keys: KeyTable;
  /** Microseconds that a request is waited for, see {@link ReorderBuffer}. */
  readonly window: number;
}

/** Reads one log: from bytes to requests in order, counting on the way. */
export class LogReader {
  readonly #source: Pick<LogSource, "chunks">;
  readonly #splitter = new LineSplitter();
  readonly #parser: LineParser;
  readonly #keys: KeyTable;
  readonly #buffer: ReorderBuffer;
  #malformed = 0;

  constructor(source: Pick<LogSource, "chunks">, { kind, keys, window }: ReadOptions) {
    this.#source = source;
    this.#parser = new LineParser(kind);
    this.#keys = keys;
    this.#buffer = new ReorderBuffer(window);
  }

  /** Lines that could not be read; blank ones do not count. */
  get malformed(): number {
    return this.#malformed + this.#splitter.tooLong;
  }

  /** Lines with an earlier time than one before them. */
  get outOfOrder(): number {
    return this.#buffer.outOfOrder;
  }

  /** Lines that came more than a window behind one before them. */
  get late(): number {
    return this.#buffer.late;
  }

  /** Reads all of it, in batches; `onRead` learns how many bytes each read took. */
  async *read(onRead: (bytes: number) => void): AsyncGenerator<Requests> {
    for await (const chunk of this.#source.chunks(onRead)) {
      for (const text of this.#splitter.split(chunk)) this.#readLines(text);
      yield* this.#buffer.take();
    }
    this.#readLines(this.#splitter.end());
    yield* this.#buffer.end();
  }

  #readLines(text: string): void {
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      this.#readLine(text.slice(start, end));
      start = end + 1;
    }
  }

  /** A carriage return at the end of a line disturbs no format. */
  #readLine(line: string): void {
    if (this.#parser.read(line)) {
      this.#buffer.add(this.#parser.time, this.#keys.idOf(this.#parser.key));
    } else if (line.trim() !== "") this.#malformed++;
  }
}
