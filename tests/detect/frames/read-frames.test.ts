// Which pictures of an event are read, from where, in which order, and what is said when they cannot be.
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readFrames } from "../../../src/detect/frames/read-frames.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { anEvent, aStorage, frameDeps, frameSettings, jpeg, put, told } from "./pictures.ts";

const read = (
  source: Parameters<typeof readFrames>[0],
  settings: Parameters<typeof frameSettings>[0] = {},
  deps: Parameters<typeof frameDeps>[0] = {},
) => readFrames(source, frameSettings(settings), frameDeps(deps));

describe("files of a closed event", () => {
  it("are read in the order of the frame set, from whichever folder holds them", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red", "alarm.jpg": "green", "00007-capture.jpg": "blue" });
    const frameSet = ["alarm", "7", "snapshot"];
    expect(await told(read(anEvent(root), { frameSet }))).toEqual(["alarm green", "7 blue", "snapshot red"]);
  });

  it("have as many digits as ZoneMinder writes", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "007-capture.jpg": "blue" });
    expect(await told(read(anEvent(root, { digits: 3 }), { frameSet: ["7"] }))).toEqual(["7 blue"]);
  });

  it("stand in for each other: frames for alarm and snapshot, analyzed ones for captured ones", async () => {
    const { root, folder } = await aStorage();
    await put(folder, {
      "00003-capture.jpg": "red",
      "00009-capture.jpg": "green",
      "00004-analyse.jpg": "blue",
    });
    const source = anEvent(root, { alarmFrame: 3, bestFrame: 9 });
    expect(await told(read(source, { frameSet: ["alarm", "snapshot", "4"] }))).toEqual([
      "alarm red",
      "snapshot green",
      "4 blue",
    ]);
  });

  it("are named when they are missing", async () => {
    const { root } = await aStorage();
    expect(await told(read(anEvent(root)))).toEqual([
      "snapshot.jpg of event 5 is not there",
      "alarm.jpg of event 5 is not there",
    ]);
  });

  it("are named when they are cut short", async () => {
    const { root, folder } = await aStorage();
    await put(folder, {
      "snapshot.jpg": (await jpeg("red", 640, 480)).subarray(0, 800),
      "alarm.jpg": Buffer.alloc(0),
    });
    const [snapshot, alarm] = await told(read(anEvent(root)));
    expect(snapshot).toMatch(/snapshot\.jpg of event 5/);
    expect(alarm).toMatch(/alarm\.jpg of event 5 is not there/);
  });

  it("that hold the same picture are looked at once", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red", "alarm.jpg": "red" });
    expect(await told(read(anEvent(root)))).toEqual(["snapshot red"]);
  });

  it("are never read through links, nor from folders outside of the storage", async () => {
    const { root, folder } = await aStorage();
    const outside = await aStorage();
    await put(outside.folder, { "snapshot.jpg": "red", "alarm.jpg": "red" });
    await symlink(path.join(outside.folder, "snapshot.jpg"), path.join(folder, "snapshot.jpg"));
    await mkdir(path.join(folder, "alarm.jpg"));
    await symlink(outside.folder, path.join(root, "1/5"));
    const escaping = anEvent(root, {
      folders: ["1/5", `../${path.basename(outside.root)}/1/2026-01-02/5`, "1/2026-01-02/5"],
    });
    expect((await told(read(escaping))).filter((line) => !line.includes("not there"))).toEqual([]);
  });

  it("are made smaller when asked to, never larger", async () => {
    const { root, folder } = await aStorage();
    await put(folder, {
      "snapshot.jpg": await jpeg("red", 640, 480),
      "alarm.jpg": await jpeg("green", 100, 50),
    });
    const sizes = [];
    for await (const frame of read(anEvent(root), { resizeWidth: 320 }))
      if ("size" in frame) sizes.push(frame.size);
    expect(sizes).toEqual([
      { width: 320, height: 240 },
      { width: 100, height: 50 },
    ]);
  });
});

describe("the snapshot as a frame", () => {
  const settings = { frameSet: ["snapshot"], convertSnapshotToFrame: true };

  it("is the frame with the highest score", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red", "00009-capture.jpg": "green" });
    expect(await told(read(anEvent(root, { bestFrame: 9 }), settings))).toEqual(["9 green"]);
  });

  it("stays the snapshot while that frame is not on the disk, or not known", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red" });
    expect(await told(read(anEvent(root, { bestFrame: 9 }), settings))).toEqual(["snapshot red"]);
    expect(await told(read(anEvent(root), settings))).toEqual(["snapshot red"]);
  });
});

/** The first questions are for the end of its patience; this one comes after a look in vain. */
const LOOKED_IN_VAIN = 3;

/** Does something when the reader has looked in vain and asks its clock how long it may go on. */
function onceLookedAt(work: () => Promise<void>) {
  let asked = 0;
  const monotonic = (): number => {
    asked += 1;
    if (asked === LOOKED_IN_VAIN) void work();
    return systemClock.monotonic();
  };
  return {
    deps: { patienceMs: 5_000, clock: { ...systemClock, monotonic } },
    isDone: () => asked >= LOOKED_IN_VAIN,
  };
}

describe("files of an open event", () => {
  it("are waited for until they are whole", async () => {
    const { root, folder } = await aStorage();
    const whole = await jpeg("red", 640, 480);
    await put(folder, { "snapshot.jpg": whole.subarray(0, 1_000) });
    const later = onceLookedAt(() => writeFile(path.join(folder, "snapshot.jpg"), whole));
    const frames = read(anEvent(root, { isOpen: true }), { frameSet: ["snapshot"] }, later.deps);
    expect(await told(frames)).toEqual(["snapshot red"]);
    expect(later.isDone()).toBe(true);
  });

  it("are waited for while there is no folder yet", async () => {
    const { root, folder } = await aStorage();
    const elsewhere = `${folder}-later`;
    await rename(folder, elsewhere);
    await put(elsewhere, { "alarm.jpg": "green" });
    const later = onceLookedAt(() => rename(elsewhere, folder));
    const frames = read(anEvent(root, { isOpen: true }), { frameSet: ["alarm"] }, later.deps);
    expect(await told(frames)).toEqual(["alarm green"]);
    expect(later.isDone()).toBe(true);
  });

  it("are given up after all attempts", async () => {
    const { root } = await aStorage();
    const settings = { frameSet: ["alarm"], maxAttempts: 3, sleepBetweenAttemptsMs: 10 };
    const frames = read(anEvent(root, { isOpen: true }), settings, { patienceMs: 10 });
    expect(await told(frames)).toEqual(["alarm.jpg of event 5 is not there (after 3 attempts)"]);
  });

  it("are not waited for when ZoneMinder keeps no frames as files", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red" });
    const begun = performance.now();
    await told(read(anEvent(root, { isOpen: true }), { frameSet: ["7"] }, { patienceMs: 20_000 }));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it("are read again at the end when the snapshot was replaced meanwhile", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red", "alarm.jpg": "green" });
    const seen: string[] = [];
    for await (const frame of read(anEvent(root, { isOpen: true }))) {
      seen.push("id" in frame ? frame.id : frame.trouble);
      if (seen.length === 1) await put(folder, { "snapshot.jpg": "blue" });
    }
    expect(seen).toEqual(["snapshot", "alarm", "snapshot"]);
  });

  it("are not read again when it is the same, or the event is closed", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red" });
    expect(await told(read(anEvent(root, { isOpen: true }), { frameSet: ["snapshot"] }))).toEqual([
      "snapshot red",
    ]);
    const seen: string[] = [];
    for await (const frame of read(anEvent(root), { frameSet: ["snapshot"] })) {
      seen.push("id" in frame ? frame.id : frame.trouble);
      await put(folder, { "snapshot.jpg": "blue" });
    }
    expect(seen).toEqual(["snapshot"]);
  });
});

describe("limits", () => {
  it("end the reading after so many errors in a row", async () => {
    const { root } = await aStorage();
    const frameSet = ["1", "2", "3", "4"];
    const lines = await told(read(anEvent(root), { frameSet, contiguousErrors: 2 }));
    expect(lines).toHaveLength(3);
    expect(lines[2]).toContain("2 pictures in a row");
  });

  it("do not count errors that are apart", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "00002-capture.jpg": "red", "00004-capture.jpg": "blue" });
    const frameSet = ["1", "2", "3", "4"];
    expect(await told(read(anEvent(root), { frameSet, contiguousErrors: 2 }))).toHaveLength(4);
  });

  it("end the reading after so many pictures", async () => {
    const { root, folder } = await aStorage();
    await put(folder, { "snapshot.jpg": "red", "alarm.jpg": "green" });
    expect(await told(read(anEvent(root), { maxFrames: 1 }))).toEqual(["snapshot red"]);
  });

  it("refuse what is no picture in the frame set", async () => {
    const { root } = await aStorage();
    const lines = await told(read(anEvent(root), { frameSet: ["../../etc/passwd", "0", "objdetect"] }));
    expect(lines.map((line) => line.includes("is no picture"))).toEqual([true, true, true]);
  });

  it("end the wait at once when it is aborted", async () => {
    const { root } = await aStorage();
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("enough")), 50);
    const begun = performance.now();
    await expect(told(read(anEvent(root), { waitMs: 60_000 }, { signal: abort.signal }))).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it("say that nothing can be read when the storage is elsewhere and there is no portal", async () => {
    expect(await told(read(anEvent(null)))).toEqual([expect.stringContaining("no portal is configured")]);
  });
});

describe("a file", () => {
  it("that is a picture is one frame", async () => {
    const { folder } = await aStorage();
    await put(folder, { "a.jpg": "red" });
    expect(await told(read({ kind: "file", path: path.join(folder, "a.jpg") }))).toEqual(["single red"]);
  });

  it.each([
    ["missing.jpg", null, "does not exist"],
    ["empty.jpg", Buffer.alloc(0), "is empty"],
    ["text.txt", Buffer.from("hello ".repeat(1_000)), "text.txt"],
    ["torn.jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]), "torn.jpg"],
  ])("%s is named with what is wrong", async (name, content, words) => {
    const { folder } = await aStorage();
    if (content !== null) await put(folder, { [name]: content });
    const file = path.join(folder, name);
    const frames = read({ kind: "file", path: file });
    if (name === "text.txt") {
      expect((await told(frames)).join()).toMatch(/cannot read it|neither a picture nor a video/);
      return;
    }
    expect((await told(frames)).join()).toContain(words);
  });

  it("that is a folder is refused", async () => {
    const { folder } = await aStorage();
    expect((await told(read({ kind: "file", path: folder }))).join()).toContain("is no file");
  });
});
