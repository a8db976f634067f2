/**
 * The command was called wrongly, or its input is not what it takes.
 *
 * Its message is one line for the person who called; the command ends with exit code 2.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** Runs `read`, in which any error comes from a value that the user gave. */
  static during<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new UsageError(messageOf(error), { cause: error });
    }
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
