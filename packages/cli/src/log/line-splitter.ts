/**
 * Cuts chunks of bytes at line ends.
 *
 * @module
 */
const NEWLINE = 10;
const BYTE_ORDER_MARK = "\ufeff";

/** Bytes that a line may have; a longer one is counted and passed over, so that it takes no memory. */
export const LONGEST_LINE = 2 ** 20;

/**
 * Turns chunks of bytes into texts of whole lines.
 *
 * Bytes are decoded many lines at a time, and only between line ends, so that no character
 * is cut in two. Bytes that are no UTF-8 become U+FFFD.
 */
export class LineSplitter {
  /** Lines that were passed over. */
  tooLong = 0;
  #rest: Uint8Array[] = [];
  #restSize = 0;
  #isSkipping = false;
  #isFirst = true;

  /** Gives back the lines that end in this chunk; the beginning of the next one is kept. */
  *split(chunk: Uint8Array): Generator<string> {
    for (let at = 0; at < chunk.length; at += LONGEST_LINE) yield this.#cut(chunk.subarray(at, at + LONGEST_LINE));
  }

  /** Gives back the last line, which may have no end. */
  end(): string {
    return this.#decode(new Uint8Array());
  }

  /** `piece` holds no line longer than the longest, save for the one that it ends. */
  #cut(piece: Uint8Array): string {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#keep(piece);
      return "";
    }
    const text = this.#decode(piece.subarray(this.#afterLongLine(piece), end));
    this.#isSkipping = false;
    this.#keep(piece.subarray(end));
    return text;
  }

  /** Where to go on reading: behind the first line, if that is too long. */
  #afterLongLine(piece: Uint8Array): number {
    const lineEnd = piece.indexOf(NEWLINE);
    if (!this.#isSkipping && this.#restSize + lineEnd > LONGEST_LINE) this.#skip();
    return this.#isSkipping ? lineEnd + 1 : 0;
  }

  #keep(part: Uint8Array): void {
    if (this.#isSkipping) return;
    this.#rest.push(part);
    this.#restSize += part.length;
    if (this.#restSize > LONGEST_LINE) this.#skip();
  }

  #skip(): void {
    this.tooLong++;
    this.#isSkipping = true;
    this.#rest = [];
    this.#restSize = 0;
  }

  #decode(end: Uint8Array): string {
    const bytes = Buffer.concat([...this.#rest, end]);
    this.#rest = [];
    this.#restSize = 0;
    const text = bytes.toString("utf8");
    if (!this.#isFirst || bytes.length === 0) return text;
    this.#isFirst = false;
    return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  }
}
