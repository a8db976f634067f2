/** Where a text can be written, and whether a person is looking at it. */
export interface Output {
  /** Writes a text. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined;
}

/** The three standard streams of a command; `process` is one such object. */
export interface Streams {
  /** What the file name "-" reads. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Takes the report. */
  readonly stdout: Output;
  /** Takes errors and progress. */
  readonly stderr: Output & NodeJS.WritableStream;
}
