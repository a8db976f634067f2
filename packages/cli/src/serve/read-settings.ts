import { UsageError } from "../usage-error.js";
import { OPTIONS, type ServeOption, type ServeSettings } from "./options.js";

/** Somewhere that options are given. */
export interface Source {
  /** What is given, by name. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How an error calls the place of one. */
  place(name: string): string;
}

/** The command line. */
export function fromFlags(values: Readonly<Record<string, unknown>>): Source {
  return { values, place: (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` };
}

/** A file. */
export function fromFile(values: Readonly<Record<string, unknown>>, file: string): Source {
  const known = Object.keys(OPTIONS);
  for (const name of Object.keys(values)) {
    if (known.includes(name)) continue;
    throw new UsageError(
      `Cannot use ${JSON.stringify(name)} in ${file}: there is no such option. The options are ${known.join(", ")}.`,
    );
  }
  return { values, place: (name) => `${name} in ${file}` };
}

/**
 * Reads all options, each from the first source that gives it, and checks that they go together.
 *
 * @throws UsageError that names the option, its value and the rule.
 */
export function readSettings(sources: readonly Source[]): ServeSettings {
  const names = Object.entries<ServeOption<unknown>>(OPTIONS);
  const read = names.map(([name, option]) => [name, readOption(name, option, sources)]);
  const settings: ServeSettings = Object.fromEntries(read);
  if (settings.maxConcurrent === undefined) {
    const stray = (["queueDepth", "maxWait", "queueOrder"] as const).find((name) => settings[name] !== undefined);
    const place = sources.find(({ values }) => stray !== undefined && values[stray] !== undefined)?.place(stray ?? "");
    if (place !== undefined) {
      throw new UsageError(
        `Cannot use ${place} without a bound on the requests at work: nobody would wait. Add --max-concurrent 64, or leave it out.`,
      );
    }
  }
  return settings;
}

function readOption(name: string, option: ServeOption<unknown>, sources: readonly Source[]): unknown {
  const source = sources.find(({ values }) => values[name] !== undefined);
  if (source !== undefined) return option.read(source.values[name], source.place(name));
  return option.byDefault === undefined ? undefined : option.read(option.byDefault, name);
}
