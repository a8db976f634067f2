/**
 * A Redis Cluster of a test's own.
 *
 * @module
 */
import { HOST } from "./ports.js";
import { RedisServer, type RedisServerOptions } from "./redis-server.js";
import { until } from "./until.js";

const SLOTS = 16_384;

/** A node that has just started waits two seconds before it says that the cluster is fine. */
const READY_TIMEOUT_MS = 30_000;

/** Nodes greet one another several times in this span: a short one lets them meet sooner. */
const MEETING_TIMEOUT_MS = 200;

/** Where a node of a cluster listens. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisClusterOptions extends Omit<RedisServerOptions, "port"> {
  /**
   * For how many ms a node must be silent until the others call it dead, and the cluster
   * with it. 15,000 by default, as in Redis: a busy machine is silent at times.
   */
  readonly nodeTimeout?: number;
}

/**
 * Three masters that share the slots evenly, without replicas. Each node is a server that
 * can be killed and started again; `ready()` then waits until all agree again.
 */
export class RedisCluster {
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer];
  readonly #nodeTimeout: number;

  constructor({ nodeTimeout = 15_000, settings, ...options }: RedisClusterOptions = {}) {
    this.#nodeTimeout = nodeTimeout;
    const cluster = {
      "cluster-enabled": "yes",
      "cluster-announce-ip": HOST,
      "cluster-node-timeout": `${nodeTimeout}`,
      ...settings,
    };
    const node = () => new RedisServer({ ...options, settings: cluster });
    this.nodes = [node(), node(), node()];
  }

  get addresses(): NodeAddress[] {
    return this.nodes.map(({ host, port }) => ({ host, port }));
  }

  /** Starts the nodes, makes them a cluster, and waits until each of them says that it is fine. */
  async start(): Promise<this> {
    await this.#each((node) => node.start());
    await this.#each((node, index) => this.#giveSlots(node, index));
    await this.#each((node) => this.#introduce(node));
    await this.ready();
    await this.#each((node) => setNodeTimeout(node, this.#nodeTimeout));
    return this;
  }

  /** Resolves when every node sees the others and all slots. */
  async ready(): Promise<void> {
    await this.#each((node) => until(() => this.#agrees(node), READY_TIMEOUT_MS));
  }

  /** Ends all nodes and removes their data. */
  async stop(): Promise<void> {
    await this.#each((node) => node.stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #each(work: (node: RedisServer, index: number) => Promise<unknown>): Promise<void> {
    await Promise.all(this.nodes.map(work));
  }

  async #giveSlots(node: RedisServer, index: number): Promise<void> {
    const from = Math.ceil((index * SLOTS) / this.nodes.length);
    const to = Math.ceil(((index + 1) * SLOTS) / this.nodes.length);
    await setNodeTimeout(node, MEETING_TIMEOUT_MS);
    await node.withClient(async (client) => {
      // Nodes that meet with one epoch would first have to settle who keeps it.
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
      await client.cluster("ADDSLOTS", ...Array.from({ length: to - from }, (_, offset) => from + offset));
    });
  }

  /** Tells a node of the others, rather than wait until it hears of them from one that knows. */
  async #introduce(node: RedisServer): Promise<void> {
    const others = this.nodes.filter((other) => other !== node);
    await node.withClient((client) => Promise.all(others.map(({ host, port }) => client.cluster("MEET", host, port))));
  }

  async #agrees(node: RedisServer): Promise<void> {
    const info = await node.withClient((client) => client.cluster("INFO"));
    const fine = ["cluster_state:ok", `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${this.nodes.length}`];
    const lines = info.split("\r\n");
    if (!fine.every((line) => lines.includes(line))) throw new Error(`node ${node.port} says ${lines.join(" ")}`);
  }
}

async function setNodeTimeout(node: RedisServer, ms: number): Promise<void> {
  await node.withClient((client) => client.config("SET", "cluster-node-timeout", ms));
}
