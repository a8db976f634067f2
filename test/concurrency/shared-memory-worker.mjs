/**
 * A thread of the tests of SharedMemoryBucket: attaches to the bucket that it is given and does as it is told.
 *
 * Runs outside of the test runner, so it takes the packages as they were built.
 */
import { parentPort, workerData } from "node:worker_threads";
import * as core from "@sluice/core";
import { SharedMemoryBucket } from "@sluice/memory";

const { handle, job } = workerData;
const algorithms = [core.tokenBucket, core.leakyBucket, core.fixedWindow, core.slidingWindowCounter];
const algorithm = algorithms.find(({ name }) => name === handle.algorithm);

if (job.name === "try") tryWhenTold();
else if (job.name === "hammer") hammer(job);
else if (job.name === "stop in the middle") stopInTheMiddle(job);

/** Tries the keys in turn as often as it is told, as soon as all threads are ready; tells how many units of each were admitted. */
function tryWhenTold() {
  const bucket = SharedMemoryBucket.attach(handle, { algorithm });
  parentPort.on("message", ({ keys, tries, weights, gate, threads }) => {
    const admitted = keys.map(() => 0);
    Atomics.add(gate, 0, 1);
    while (Atomics.load(gate, 0) < threads);
    for (let i = 0; i < tries * keys.length; i++) {
      const weight = weights[i % weights.length];
      if (bucket.tryPut(keys[i % keys.length], weight)) admitted[i % keys.length] += weight;
    }
    parentPort.postMessage(admitted);
  });
  parentPort.postMessage("ready");
}

/** Puts, and counts what was admitted, until it is terminated. Some keys come and go on the way. */
function hammer({ keys, tally, seed }) {
  const bucket = SharedMemoryBucket.attach(handle, { algorithm });
  parentPort.postMessage("ready");
  for (let i = seed; ; i++) {
    const slot = Math.imul(i, 2_654_435_761) >>> 28;
    if (bucket.tryPut(keys[slot])) Atomics.add(tally, slot, 1);
    bucket.charge({ key: `passing ${i % 500}` });
    if (i % 3 === 0) bucket.flush(`passing ${(i * 7) % 500}`);
  }
}

/** Begins to put, and stops for ever when it has decided and before anybody can see what. */
function stopInTheMiddle({ key, flag }) {
  const stopping = {
    name: algorithm.name,
    compile(rates) {
      const kernel = algorithm.compile(rates);
      const admit = kernel.admit.bind(kernel);
      kernel.admit = (...given) => {
        admit(...given);
        Atomics.store(flag, 0, 1);
        Atomics.notify(flag, 0);
        Atomics.wait(flag, 0, 1);
      };
      return kernel;
    },
  };
  SharedMemoryBucket.attach(handle, { algorithm: stopping }).tryPut(key, 5);
}
