import { ALGORITHMS } from "@sluice/core";
import { Command, Option } from "commander";
import { KEY_KINDS } from "../log/key-kind.js";
import { KeyTable } from "../log/key-table.js";
import { LogReader } from "../log/log-reader.js";
import { mergeByTime } from "../log/merge-by-time.js";
import { type LogSource, openLogs } from "../log/open-log.js";
import { showProgress } from "../progress.js";
import { Replay } from "../replay/replay.js";
import { jsonReport } from "../report/json.js";
import { type Summary, summarize } from "../report/summary.js";
import { textReport } from "../report/text.js";
import type { Streams } from "../streams.js";
import { UsageError } from "../usage-error.js";
import { REPLAY_HELP } from "./replay-help.js";
import { type ReplayFlags, type ReplayOptions, readOptions } from "./replay-options.js";

/** The command `sluice replay`: what would this limit have done to that traffic? */
export function replayCommand(streams: Streams): Command {
  const names = ALGORITHMS.map(({ name }) => name);
  const collect = (text: string, before: readonly string[] = []) => [...before, text];
  return new Command("replay")
    .summary("replay access logs against a rate limit")
    .description("Answers what a rate limit would have done to the traffic in access logs.")
    .argument("[FILE...]", "logs; - is standard input")
    .usage("FILE... --rate RATE [options]")
    .option("-r, --rate <rate>", "what to allow, such as 10/min; repeat it for several rates at once", collect)
    .addOption(new Option("-a, --algorithm <name>", "what decides").choices(names).default(names[0]))
    .option("-b, --burst <units>", "units at one instant, for every rate that names no burst (buckets only)")
    .addOption(new Option("-k, --key <key>", "what requests are counted under").choices(KEY_KINDS).default("ip"))
    .option("--json", "print one JSON object and nothing else")
    .option("--top <count>", "how many of the keys refused most to list", "10")
    .option("--reorder-window <duration>", "how far behind newer lines a line may stand", "1h")
    .addHelpText("after", REPLAY_HELP)
    .action(async (files: string[], flags: ReplayFlags) => {
      const options = readOptions(files, flags);
      const summary = await replay(options, streams);
      streams.stdout.write(options.json ? jsonReport(summary) : textReport(summary));
    });
}

async function replay(options: ReplayOptions, { stdin, stderr }: Streams): Promise<Summary> {
  const start = performance.now();
  const logs = await openLogs(options.files, stdin);
  const keys = new KeyTable();
  const readers = logs.map((log) => new LogReader(log, { kind: options.kind, keys, window: options.window }));
  const run = new Replay(options.limits, options.algorithm, keys);
  const progress = showProgress(stderr, totalSize(logs));
  try {
    const lists = readers.map((reader) => reader.read(progress.read));
    for await (const requests of mergeByTime(lists)) run.run(requests);
  } finally {
    progress.stop();
    for (const log of logs) log.close();
  }
  if (run.requests === 0) throw nothingRead(options);
  return summarize(options, readers, keys.size, run, (performance.now() - start) / 1000);
}

function totalSize(logs: readonly LogSource[]): number | undefined {
  let total = 0;
  for (const { size } of logs) {
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}

function nothingRead({ files, kind }: ReplayOptions): UsageError {
  const names = files.map((name) => JSON.stringify(name)).join(", ");
  return new UsageError(
    `Cannot replay ${names}: no line has a time and the key "${kind}" in the Common or Combined Log Format or as JSON. Name an access log.`,
  );
}
