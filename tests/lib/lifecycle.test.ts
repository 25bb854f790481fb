import { setTimeout } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createLifecycle, type Part } from "../../src/lib/lifecycle.ts";
import { createLogger, type LogRecord } from "../../src/lib/log.ts";

let steps: string[] = [];
let records: LogRecord[] = [];
beforeEach(() => {
  steps = [];
  records = [];
});

const never = new Promise<void>(() => undefined);

function aPart(name: string, change: Partial<Part> = {}): Part {
  const start = async (): Promise<void> => void steps.push(`start ${name}`);
  const stop = async (): Promise<void> => void steps.push(`stop ${name}`);
  return { name, start, stop, ...change };
}

function aProgram(parts: readonly Part[], stopDeadlineMs = 500) {
  const write = (record: LogRecord): void => void records.push(record);
  const log = createLogger([{ name: "x", level: "debug", write, close: async () => undefined }]);
  return createLifecycle(parts, { logger: log.logger, clock: systemClock, stopDeadlineMs });
}

test("parts start in order and stop in reverse", async () => {
  const program = aProgram([aPart("a"), aPart("b")]);
  await program.start();
  await program.stop();
  expect(steps).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("stopping twice is stopping once", async () => {
  const program = aProgram([aPart("a")]);
  await program.start();
  expect(program.stop()).toBe(program.stop());
  await program.stop();
  expect(steps).toEqual(["start a", "stop a"]);
});

test("a part that cannot start stops those before it, and its error is the one that is seen", async () => {
  const failing = aPart("b", { start: () => Promise.reject(new Error("port taken")) });
  const program = aProgram([aPart("a"), failing, aPart("c")]);
  await expect(program.start()).rejects.toThrow("port taken");
  expect(steps).toEqual(["start a", "stop b", "stop a"]);
});

test("stopping while starting does not wait for a part that hangs", async () => {
  const hanging = Promise.withResolvers<void>();
  const start = (): Promise<void> => {
    hanging.resolve();
    return never;
  };
  const program = aProgram([aPart("a"), aPart("b", { start }), aPart("c")]);
  const started = program.start();
  const failure = expect(started).rejects.toThrow("stopped while starting");
  await hanging.promise;
  await program.stop();
  await failure;
  expect(steps).toEqual(["start a", "stop b", "stop a"]);
});

test("an aborted signal ends the start", async () => {
  const abort = new AbortController();
  const program = aProgram([aPart("a", { start: () => never })]);
  const started = program.start(abort.signal);
  abort.abort(new Error("enough"));
  await expect(started).rejects.toThrow("enough");
});

test("a part that does not stop leaves the others the time to", async () => {
  const stop = async (): Promise<void> => {
    await setTimeout(10);
    steps.push("stopped slowly");
  };
  const hanging = { stop: () => never };
  const program = aProgram([aPart("a", { stop }), aPart("b", hanging), aPart("c", hanging)], 400);
  await program.start();
  const begun = performance.now();
  await program.stop();
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(steps.at(-1)).toBe("stopped slowly");
  expect(records.map((each) => each.fields.part)).toEqual(["c", "b"]);
});

test("a part that fails to stop does not keep the others from stopping", async () => {
  const program = aProgram([aPart("a"), aPart("b", { stop: () => Promise.reject(new Error("stuck")) })]);
  await program.start();
  await program.stop();
  expect(steps.at(-1)).toBe("stop a");
  expect(records[0]?.message).toBe("A part failed to stop: stuck");
});
