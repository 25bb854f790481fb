import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createStoreClient } from "../../src/store/store-client.ts";

/** Dies at its first question, and answers from its second life on. */
const mortal = `
  import { existsSync, writeFileSync } from "node:fs";
  import { parentPort, workerData } from "node:worker_threads";
  parentPort.on("message", ({ id }) => {
    if (existsSync(workerData)) return parentPort.postMessage({ id, setAside: null, outcome: { done: true, value: 7 } });
    writeFileSync(workerData, "");
    throw new Error("out of memory");
  });`;

test("a thread that dies fails what was asked of it, and the next question gets a new one", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "zmes-client-"));
  const client = createStoreClient({
    path: path.join(directory, "died"),
    clock: systemClock,
    onSetAside: () => undefined,
    thread: new URL(`data:text/javascript,${encodeURIComponent(mortal)}`),
  });
  const both = await Promise.all([client.ask({ do: "marks" }), client.ask({ do: "marks" })]);
  expect(both.map((each) => each.done)).toEqual([false, false]);
  expect(both[0]).toMatchObject({ problem: "out of memory" });
  expect(await client.ask({ do: "marks" })).toEqual({ done: true, value: 7 });
  await client.end();
  expect(await client.ask({ do: "marks" })).toMatchObject({ done: false });
  rmSync(directory, { recursive: true });
});
