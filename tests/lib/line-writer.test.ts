import { expect, test } from "vitest";
import { createLineWriter } from "../../src/lib/line-writer.ts";
import { eventually } from "../support/eventually.ts";

/** A disk that can be full and that takes seven bytes at a time. */
function aDisk() {
  return {
    text: "",
    isFull: false,
    refusals: 0,
    async put(bytes: Buffer): Promise<number> {
      if (this.isFull) {
        this.refusals += 1;
        throw new Error("ENOSPC");
      }
      this.text += bytes.subarray(0, 7).toString();
      return Math.min(7, bytes.length);
    },
  };
}

const lossLine = (lost: number): string => `lost ${lost}\n`;

test("everything is written in order, however little the disk takes at once", async () => {
  const disk = aDisk();
  const writer = createLineWriter({ put: (bytes) => disk.put(bytes), lossLine });
  for (let number = 0; number < 50; number += 1) writer.write(`line ${number}\n`);
  await writer.close(1000);
  expect(disk.text).toBe(Array.from({ length: 50 }, (_, number) => `line ${number}\n`).join(""));
});

test("a full disk is tried again, nothing is written twice, and what was lost is told", async () => {
  const disk = aDisk();
  disk.isFull = true;
  const states: string[] = [];
  const writer = createLineWriter({
    put: (bytes) => disk.put(bytes),
    lossLine,
    onState: (writable, problem) => void states.push(`${writable} ${problem}`),
    limitBytes: 12,
    retryMs: 10,
  });
  writer.write("kept 1\n");
  await eventually(() => expect(disk.refusals).toBeGreaterThan(1));
  writer.write("kept 2\n");
  writer.write("one too many\n");
  writer.write("another one\n");
  disk.isFull = false;
  await eventually(() => expect(disk.text).toBe("kept 1\nlost 2\nkept 2\n"));
  expect(states).toEqual(["false ENOSPC", "true "]);
});

test("closing gives up on a disk that hangs", async () => {
  const writer = createLineWriter({ put: () => new Promise(() => undefined), lossLine });
  writer.write("never\n");
  const begun = performance.now();
  await writer.close(50);
  expect(performance.now() - begun).toBeLessThan(5_000);
});
