// The store's thread over a disk that does not answer until somebody writes a file beside the store, `<store>.answers`.
import { existsSync } from "node:fs";
import { workerData } from "node:worker_threads";

const LOOK_EVERY_MS = 20;

const never = new Int32Array(new SharedArrayBuffer(4));
while (!existsSync(`${workerData}.answers`)) Atomics.wait(never, 0, 0, LOOK_EVERY_MS);

await import("../../src/store/store-thread.ts");
