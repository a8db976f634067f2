import type { TestProject } from "vitest/node";
import { Broker } from "./broker.js";
import { redisBinary } from "./redis-binary.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test file asks for the servers that it shares with others. */
    serverBroker: string;
  }
}

/** Lets test files ask for servers. Starts none: a run that needs none waits for none. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { CI } = process.env;
  // There the machine is new and all tests run: install before the clock of one of them does.
  // A test that needs Redis says what went wrong, if it did.
  if (CI !== undefined) await redisBinary().catch(() => undefined);
  const broker = new Broker();
  project.provide("serverBroker", await broker.open());
  return () => broker.close();
}
