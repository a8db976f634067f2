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
  if (settings.maxConcurrent === undefined) checkQueue(sources);
  if (settings.rate?.length === 0) checkBurst(sources);
  return settings;
}

/** Checks that nothing is said of a queue where there is none. */
function checkQueue(sources: readonly Source[]): void {
  for (const name of ["queueDepth", "maxWait", "queueOrder"]) {
    const place = sourceOf(name, sources)?.place(name);
    if (place === undefined) continue;
    throw new UsageError(
      `Cannot use ${place} without a bound on the requests at work: nobody would wait. Add --max-concurrent 64, or leave it out.`,
    );
  }
}

/** Checks that no burst is given where there is no limit; that of a file goes with the rates of the file. */
function checkBurst(sources: readonly Source[]): void {
  const source = sourceOf("burst", sources);
  const rates = sourceOf("rate", sources);
  if (source === undefined || rates === undefined || sources.indexOf(source) > sources.indexOf(rates)) return;
  throw new UsageError(
    `Cannot use ${source.place("burst")} without a rate: nobody is limited. Give a rate, or leave it out.`,
  );
}

function sourceOf(name: string, sources: readonly Source[]): Source | undefined {
  return sources.find(({ values }) => values[name] !== undefined);
}

function readOption(name: string, option: ServeOption<unknown>, sources: readonly Source[]): unknown {
  const source = sourceOf(name, sources);
  if (source !== undefined) return option.read(source.values[name], source.place(name));
  return option.byDefault === undefined ? undefined : option.read(option.byDefault, name);
}
