import { Duration, LimiterError } from "@sluice/core";

/** There is no answer within the deadline of {@link politeFetch}, or there cannot be one; its code is `TIMEOUT`. */
export class FetchDeadlineError extends LimiterError {
  /** The name of the class. */
  override readonly name = "FetchDeadlineError";
  /** Where the request was to go. */
  readonly url: string;
  /** Milliseconds for which the server still asks for quiet; 0 where it does not. */
  readonly retryAfter: number;

  /** @param deadline Milliseconds that the call was given. */
  constructor(url: URL, deadline: number, retryAfter: number) {
    // Without the query, which may hold what does not belong into a log.
    const place = `${url.origin}${url.pathname}`;
    const limit = Duration.readable(deadline);
    super(
      "TIMEOUT",
      retryAfter > 0
        ? `Cannot fetch ${place}: the server asks for quiet for ${Duration.readable(retryAfter)}, past the deadline of ${limit}. Retry later or allow more time.`
        : `Cannot fetch ${place}: no answer came within the deadline of ${limit}. Allow more time.`,
    );
    this.url = url.href;
    this.retryAfter = retryAfter;
  }
}
