import { expect, test } from "vitest";
import type { Batch, DecisionRow } from "../../src/store/messages.ts";
import { createWriteQueue } from "../../src/store/write-queue.ts";

const aRow = (deliveries: number): DecisionRow => ({
  key: "1:5060:1",
  phase: "started",
  event: 5060,
  seenAt: 0,
  alarm: "{}",
  withheld: null,
  found: null,
  deliveries: Array.from({ length: deliveries }, (_, number) => ({
    channel: "fcm",
    recipient: `fcm:${number}`,
    label: "phone ...27a387",
    trace: "[]",
    reason: null,
    at: 0,
    expiresAt: 1,
  })),
});

/** Whether it was refused at once; a row that waits is never answered here. */
const isRefused = (saving: Promise<unknown>) =>
  Promise.race([saving.then((ids) => ids === null), new Promise((resolve) => setImmediate(resolve, false))]);

test("behind a disk that hangs decisions wait up to a limit only, and the next ones are refused at once", async () => {
  const disk = Promise.withResolvers<null>();
  const batches: Batch[] = [];
  const queue = createWriteQueue({
    retryMs: 1000,
    write: (batch) => {
      batches.push(batch);
      return disk.promise;
    },
  });
  const row = aRow(1000);
  expect(await isRefused(queue.addDecisions([row]))).toBe(false);
  expect(batches).toHaveLength(1);
  let waiting = 0;
  while (waiting < 1000 && !(await isRefused(queue.addDecisions([row])))) waiting += 1;
  // More than two hundred cameras that see a thousand phones' lightning at once would need in a second.
  expect(waiting).toBeGreaterThanOrEqual(200);
  expect(waiting).toBeLessThan(500);
  queue.close();
  disk.resolve(null);
});

test("behind a disk that hangs no more counts of sockets wait than people would read", async () => {
  const disk = Promise.withResolvers<never[]>();
  const batches: Batch[] = [];
  const queue = createWriteQueue({
    retryMs: 1000,
    write: (batch) => {
      batches.push(batch);
      return disk.promise;
    },
  });
  queue.addSockets([{ key: "first", phase: "started", counts: "{}" }]);
  await Promise.resolve();
  for (let number = 1; number <= 20_000; number += 1)
    queue.addSockets([{ key: `${number}`, phase: "started", counts: "{}" }]);
  disk.resolve([]);
  expect(await queue.flush()).toBe(true);
  expect(batches[1]?.sockets.length).toBeLessThanOrEqual(10_000);
  expect(batches[1]?.sockets.at(-1)?.key).toBe("20000");
});
