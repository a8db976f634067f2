import { Command, Option } from "commander";
import { OPTION_GROUPS, type ServeOption } from "../serve/options.js";
import type { ServeFlags } from "../serve/serve.js";
import type { Streams } from "../streams.js";
import { SERVE_HELP } from "./serve-help.js";

/** The command `sluice serve`: a reverse proxy that limits clients and bounds the work. */
export function serveCommand(streams: Streams): Command {
  const command = new Command("serve")
    .summary("put limits in front of a server")
    .description("Serves as a reverse proxy in front of any server: limits each client, and bounds the work at a time.")
    .usage("--upstream URL [options]")
    .option("--demo", "start a small upstream to try it on, with limits that are easily reached")
    .option("--config <file>", "where options stand; sluice.config.json, .ts or .mjs when left out");
  for (const [heading, options] of Object.entries(OPTION_GROUPS)) {
    for (const option of Object.values<ServeOption<unknown>>(options)) {
      command.addOption(toOption(option).helpGroup(heading));
    }
  }
  return command
    .addHelpText("after", SERVE_HELP)
    .allowExcessArguments(false)
    .action(async (flags: ServeFlags) => {
      // What a server needs takes a while to load, and the other commands do without.
      const { serve } = await import("../serve/serve.js");
      await serve(flags, streams);
    });
}

function toOption({ flags, help, byDefault, isList }: ServeOption<unknown>): Option {
  // A default is filled in when the file has been read, for it comes after that.
  const option = new Option(flags, byDefault === undefined ? help : `${help} (default: ${byDefault})`);
  return isList ? option.argParser((text, before: readonly string[] = []) => [...before, text]) : option;
}
