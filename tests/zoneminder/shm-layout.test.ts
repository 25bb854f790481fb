import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeState } from "../../src/zoneminder/shm-file.ts";
import {
  chooseLayout,
  HEAD_BYTES,
  learnNumbering,
  readLength,
  SHM_LAYOUTS,
  type ShmLayout,
  stateNumbering,
  TRIGGER,
} from "../../src/zoneminder/shm-layout.ts";
import { parseVersion } from "../../src/zoneminder/version.ts";

// Extracted from zm_monitor.h of every revision and checked with g++'s offsetof, apart from the table under test.
interface Extracted extends Omit<ShmLayout, "releases"> {
  readonly triggerState: number;
  readonly triggerCause: number;
  readonly readBytes: number;
}
const fixture = new URL("../fixtures/shm-layouts.json", import.meta.url);
const extracted: readonly Extracted[] = JSON.parse(readFileSync(fixture, "utf8"));

const version = (text: string) => parseVersion(text);
const layout = (id: string, abi = "default") => {
  const found = SHM_LAYOUTS.find((each) => each.id === id && each.abi === abi);
  if (!found) throw new Error(id);
  return found;
};

function head(size: number, change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32LE(size, 0);
  change(bytes);
  return bytes;
}

describe("the table of layouts", () => {
  it.each(extracted)("has $id ($abi) as its struct was compiled", (row) => {
    const { triggerState, triggerCause, readBytes, ...offsets } = row;
    const ours = layout(row.id, row.abi);
    expect(ours).toMatchObject(offsets);
    expect(ours.sharedSize + TRIGGER.state).toBe(triggerState);
    expect(ours.sharedSize + TRIGGER.cause).toBe(triggerCause);
    expect(readLength(ours)).toBe(readBytes);
  });

  it("needs no more than the head to see whether something changed", () => {
    for (const each of SHM_LAYOUTS) {
      expect(each.lastEvent + each.lastEventBytes).toBeLessThanOrEqual(HEAD_BYTES);
      expect(each.valid).toBeLessThan(HEAD_BYTES);
      expect((each.startupTime ?? 0) + 4).toBeLessThanOrEqual(HEAD_BYTES);
    }
  });
});

describe("the layout of a file", () => {
  it.each([
    [336, null, "zm-1.30"],
    [344, null, "zm-dev-1.31-a"],
    [592, null, "zm-dev-1.31-b"],
    [600, "1.34.26", "zm-1.32.3"],
    [600, "1.31.40", "zm-dev-1.31-c"],
    [600, null, "zm-1.32.3"],
    [604, null, "zm-1.32.0"],
    [608, null, "zm-1.32.0"],
    [616, null, "zm-dev-1.35-a"],
    [632, null, "zm-dev-1.35-b"],
    [760, null, "zm-1.36.0"],
    [764, null, "zm-1.36.34"],
    [768, "1.36.38", "zm-1.36.34"],
    [768, "1.37.6", "zm-dev-1.37-a"],
    [776, null, "zm-dev-1.37-b"],
    [840, null, "zm-dev-1.37-c"],
    [856, "1.37.45", "zm-dev-1.37-d"],
    [856, "1.37.65", "zm-1.37.61"],
    [856, null, "zm-dev-1.37-d"],
    [864, "1.37.65", "zm-1.37.61"],
    [864, "1.38.1", "zm-1.38.0"],
    [864, null, "zm-1.37.61"],
    [872, null, "zm-1.38.0"],
    [880, null, "zm-1.39.17"],
    [888, null, "zm-1.39.17"],
  ])("of %i bytes and version %s is %s", (size, release, id) => {
    expect(chooseLayout(head(size), release === null ? null : version(release))?.id).toBe(
      size === 768 && release === null ? undefined : id,
    );
  });

  it("of 768 bytes is told by audio_channels when the version is not known", () => {
    const withAudio = head(768, (bytes) => bytes.writeUInt32LE(0xffff_ffff, 92));
    expect(chooseLayout(withAudio, null)?.id).toBe("zm-1.36.34");
    expect(chooseLayout(head(768), null)?.id).toBe("zm-dev-1.37-a");
  });

  it("of 600 bytes is told by where `valid` is when the version is not known", () => {
    const dev = head(600, (bytes) => bytes.writeUInt8(1, 48));
    expect(chooseLayout(dev, null)?.id).toBe("zm-dev-1.31-c");
  });

  it("of any other size is not guessed", () => {
    expect(chooseLayout(head(1234), version("1.38.0"))).toBeNull();
    expect(chooseLayout(head(0), null)).toBeNull();
  });

  it("is found or refused for any bytes whatever, without an exception", () => {
    const bytes = fc.uint8Array({ minLength: HEAD_BYTES, maxLength: HEAD_BYTES });
    fc.assert(
      fc.property(bytes, fc.option(fc.constantFrom("1.30.0", "1.36.16", "1.38.0")), (raw, release) => {
        const found = chooseLayout(Buffer.from(raw), release === null ? null : version(release));
        expect(found === null || SHM_LAYOUTS.includes(found)).toBe(true);
      }),
    );
  });
});

describe("the numbering of the states", () => {
  it.each([
    ["1.36.0", "A"],
    ["1.36.15", "A"],
    ["1.36.16", "B"],
    ["1.36.33", "B"],
    ["1.37.0", "A"],
    ["1.37.1", "B"],
  ])("of the 760-byte layout in %s is %s", (release, expected) => {
    expect(stateNumbering(layout("zm-1.36.0"), version(release))).toBe(expected);
  });

  it("waits for proof when the version is not known", () => {
    const zm = layout("zm-1.36.0");
    expect(stateNumbering(zm, null)).toBe("undecided");
    expect(learnNumbering(zm, "undecided", 0, 0)).toBe("A");
    expect(learnNumbering(zm, "undecided", 5, 0)).toBe("B");
    expect(learnNumbering(zm, "undecided", 1, 100)).toBe("undecided");
    expect(learnNumbering(zm, "undecided", 1, 3_000)).toBe("B");
    expect(learnNumbering(zm, "undecided", 4, 60_000)).toBe("A");
  });

  it("is corrected by the bytes when the database still names the release before the upgrade", () => {
    expect(learnNumbering(layout("zm-1.36.0"), "A", 1, 5_000)).toBe("B");
  });

  it("never changes where only one exists", () => {
    expect(learnNumbering(layout("zm-1.38.0"), "B", 0, 0)).toBe("B");
    expect(learnNumbering(layout("zm-1.32.3"), "A", 5, 0)).toBe("A");
  });

  it("gives every number its name", () => {
    expect([0, 1, 2, 3, 4, 0xffff_ffff].map((raw) => decodeState(raw, "A"))).toEqual([
      "idle",
      "prealarm",
      "alarm",
      "alert",
      "tape",
      "unknown",
    ]);
    expect([0, 1, 2, 3, 4, 5].map((raw) => decodeState(raw, "B"))).toEqual([
      "unknown",
      "idle",
      "prealarm",
      "alarm",
      "alert",
      "tape",
    ]);
    expect(decodeState(3, "undecided")).toBe("unknown");
  });
});
