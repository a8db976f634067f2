/**
 * Several processes that put into one store, starting at the same moment.
 *
 * @module
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a process is to do. */
export interface Job {
  /** Which store: `worker.mjs` knows how to open each. */
  readonly store: "sqlite" | "postgres" | "redis";
  /** The path or the URL of it. */
  readonly at: string;
  readonly rates: string | readonly string[];
  /** The name of an algorithm. */
  readonly algorithm: string;
  /** More options of the bucket: plain values. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whom to put one unit for. */
  readonly key: string;
  /** How often; until the time is over, when left out. */
  readonly tries?: number;
  /** Before which of its tries each replaces the rates, keeping what was used, and by which. */
  readonly replaceAt?: number;
  readonly replaceBy?: string;
  /** For how many milliseconds; a minute, when left out. */
  readonly duration?: number;
  /** How many tries are under way at once; 1 when left out. */
  readonly inFlight?: number;
  /** A file that gets one byte for each unit that is admitted. */
  readonly record?: string;
  /** How many wait by `limiter.acquire` at once, instead of trying. */
  readonly waiters?: number;
  /** Whether the bucket is opened only when all start. */
  readonly opensAtStart?: boolean;
}

/** What a process did. */
export interface Result {
  /** Units that were admitted. */
  readonly admitted: number;
  /** What the store was asked to do: puts, bookings and the like. */
  readonly operations: number;
  /** How many slices of 100 ms had one admitted in them. */
  readonly busySlices: number;
  /** What went wrong, with where. */
  readonly errors: readonly string[];
}

const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));

/** A process with a job, up and ready. */
export class Worker {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Starts a process, and waits until it is ready. */
  static async start(job: Job): Promise<Worker> {
    const child = fork(WORKER, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.send(job);
    await answer(child);
    return new Worker(child);
  }

  /** Lets it begin, and waits for what it did. */
  async run(): Promise<Result> {
    this.#process.send("go");
    return (await answer(this.#process)) as Result;
  }

  /** Lets it begin. */
  begin(): void {
    this.#process.send("go");
  }

  /** Kills it, wherever it stands, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }
}

/** Starts one process a job, lets all begin at the same moment, and waits for what they did. */
export async function race(jobs: readonly Job[]): Promise<Result[]> {
  const workers: Worker[] = [];
  try {
    await Promise.all(jobs.map(async (job) => workers.push(await Worker.start(job))));
    return await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
}

/** The next message of a process; fails when it ends without one. */
async function answer(child: ChildProcess): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([message]) => message as unknown),
      // Not its exit: that may be told before its last message.
      once(child, "disconnect", { signal }).then(async () => {
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit", { signal });
        throw new Error(`A process of the test ended early (${child.signalCode ?? `with code ${child.exitCode}`}).`);
      }),
    ]);
  } finally {
    controller.abort();
  }
}
