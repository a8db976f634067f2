/** A law that a bucket breaks. */
export class BrokenLawError extends Error {
  /** The name of the class. */
  override readonly name = "BrokenLawError";
}

/** Fails unless `actual` and `expected` are the same in all that they hold. */
export function same(what: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new BrokenLawError(`${what}: expected ${wanted}, got ${got}`);
}

/** Fails unless `run` throws, or rejects with, an error of the given name. */
export async function fails(what: string, run: () => unknown, name: string): Promise<void> {
  let outcome: unknown;
  try {
    outcome = await run();
  } catch (error) {
    same(`${what}: the error`, (error as Error).name, name);
    return;
  }
  throw new BrokenLawError(`${what}: expected a ${name}, got ${show(outcome)}`);
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, part) => (typeof part === "number" && !Number.isFinite(part) ? String(part) : part)) ??
    "undefined"
  );
}
