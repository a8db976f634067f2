/** A command came to its end, and has told what there was to tell; only its exit code is not 0. */
export class ExitCode extends Error {
  override readonly name = "ExitCode";

  constructor(readonly code: number) {
    super(`Exit code ${code}.`);
  }
}
