// The simulated ZoneMinder: cameras with names, alarms now and then, nothing left behind.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { currentLayout } from "../../src/demo/simulated-camera.ts";
import { createSimulatedZoneMinder, type SimulatedZoneMinder } from "../../src/demo/simulated-zoneminder.ts";
import { eventually } from "../support/eventually.ts";

let directory: string;
let simulation: SimulatedZoneMinder | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zmes-simulation-"));
});
afterEach(() => {
  simulation?.stop();
  rmSync(directory, { recursive: true });
});

const stateOf = (id: number) =>
  readFileSync(join(directory, `zm.mmap.${id}`)).readUInt32LE(currentLayout().state);

test("every camera has a file and a name of its own", () => {
  simulation = createSimulatedZoneMinder({ directory, monitors: 30, everyMs: 60_000 });
  simulation.start();
  expect(readdirSync(directory)).toHaveLength(30);
  expect(new Set(simulation.monitors.map(({ name }) => name)).size).toBe(30);
  expect(simulation.monitors[0]).toEqual({ id: 1, name: "Front Door" });
});

test("an alarm comes at a camera at rest, ends, and is remembered with its moment", async () => {
  simulation = createSimulatedZoneMinder({ directory, monitors: 1, everyMs: 600, random: () => 0 });
  simulation.start();
  const alarm = simulation.alarm();
  expect(alarm).toMatchObject({ monitor: 1, eventId: 1, cause: "Motion:Drive" });
  expect(stateOf(1)).toBe(3);
  expect(simulation.alarm()).toBeNull();
  expect(simulation.written(1)).toBe(alarm);
  await eventually(() => expect(stateOf(1)).toBe(1));
});

test("alarms keep coming by themselves", async () => {
  simulation = createSimulatedZoneMinder({ directory, monitors: 2, everyMs: 50 });
  simulation.start();
  await eventually(() => expect(simulation?.written(4)).toBeDefined());
});

test("stopping removes every file, and stopping twice does no harm", () => {
  simulation = createSimulatedZoneMinder({ directory, monitors: 3, everyMs: 50 });
  simulation.start();
  simulation.stop();
  simulation.stop();
  expect(readdirSync(directory)).toEqual([]);
});
