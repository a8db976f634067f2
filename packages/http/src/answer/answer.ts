/** One header field: its name and its value. */
export type Field = readonly [name: string, value: string];

/** The body of an answer. */
export interface AnswerBody {
  /** Its media type: the value of `Content-Type`. */
  readonly type: string;
  /** The text. */
  readonly text: string;
}

/** What a client is told instead of what it asked for. */
export interface Answer {
  /** 429 for one client that asks too much, 503 for a server that has too much to do. */
  readonly status: 429 | 503;
  /** Fields to set, beside those of the body. */
  readonly fields: readonly Field[];
  /** The body. */
  readonly body: AnswerBody;
}
