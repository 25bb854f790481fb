// Cameras whose shared memory is really written, in a folder of its own.
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulatedCamera, type SimulatedCamera } from "../src/demo/simulated-camera.ts";
import { instant } from "./instant.ts";

export interface Cameras {
  /** Stands for ZM_PATH_MAP. */
  readonly directory: string;
  readonly count: number;
  /** Camera `id` (1, 2, ...) begins an alarm in an event of its own. */
  begin(id: number): WrittenAlarm;
  end(id: number): void;
  remove(): void;
}

export interface WrittenAlarm {
  readonly eventId: number;
  /** Right before the first byte of the alarm was written. */
  readonly writtenAt: number;
}

/** Six digits from the first event on, so that all alarms have the same length. */
const FIRST_EVENT = 100_000;

/** Makes the files of so many cameras at rest. */
export function createCameras(count: number): Cameras {
  const directory = mkdtempSync(join(memoryFolder(), "zmes-bench-"));
  const cameras = new Map<number, SimulatedCamera>();
  for (let id = 1; id <= count; id++) {
    const camera = createSimulatedCamera({ directory, id });
    camera.create();
    cameras.set(id, camera);
  }
  let lastEvent = FIRST_EVENT;
  const camera = (id: number): SimulatedCamera => {
    const found = cameras.get(id);
    if (found === undefined) throw new Error(`There is no camera ${id} among ${count}.`);
    return found;
  };
  return {
    directory,
    count,
    begin(id) {
      lastEvent += 1;
      const writtenAt = instant();
      camera(id).beginAlarm({ eventId: lastEvent, cause: "Motion:Drive" });
      return { eventId: lastEvent, writtenAt };
    },
    end: (id) => camera(id).endAlarm(),
    remove() {
      for (const each of cameras.values()) each.abandon();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Memory rather than a disk, as ZoneMinder has it; any temporary folder does where there is no such place. */
function memoryFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
