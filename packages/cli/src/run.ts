import { Command, CommanderError } from "commander";
import { replayCommand } from "./commands/replay.js";
import { serveCommand } from "./commands/serve.js";
import { ExitCode } from "./exit-code.js";
import type { Streams } from "./streams.js";
import { messageOf, UsageError } from "./usage-error.js";
import { packageVersion } from "./version.js";

/**
 * Runs the `sluice` command.
 *
 * @param argv The arguments after the command's own name.
 * `serve` runs until the process gets SIGTERM or SIGINT.
 *
 * @returns The exit code: 0 for success, 2 for wrong usage or unusable input, 1 for a defect.
 */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  try {
    await sluiceCommand(streams).parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    return fail(error, streams);
  }
}

function sluiceCommand(streams: Streams): Command {
  const program = new Command("sluice")
    .description("Rate limits on the command line: put in front of a server, or tried out on its logs.")
    .version(packageVersion(), "-v, --version", "print the version");
  program.exitOverride();
  // Errors are told in one line by fail(); what commander would write beside them is left out.
  program.configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: () => {} });
  for (const command of [serveCommand(streams), replayCommand(streams)]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

function fail(error: unknown, { stderr }: Streams): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof ExitCode) return error.code;
  if (error instanceof UsageError || error instanceof CommanderError) {
    stderr.write(`sluice: ${oneLine(error)}\n`);
    return 2;
  }
  stderr.write(`sluice: unexpected error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

function oneLine(error: Error): string {
  const isBareCall = error instanceof CommanderError && error.code === "commander.help";
  const message = isBareCall ? 'Cannot run without a command. Run "sluice --help" for a list.' : messageOf(error);
  return message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
}
