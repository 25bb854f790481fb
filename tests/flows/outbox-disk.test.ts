// What the outbox promises when the disk fails: full, read-only, damaged, cut off in the middle of a write.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Notice } from "../../src/domain/notice.ts";
import { anAlarm, eid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";
import { aDecision, createOutboxSite, type OutboxSite } from "../support/outbox.ts";

const anna = aPerson("anna");
let channel: FakeChannel;
let site: OutboxSite;
let mounted: string[] = [];

beforeEach(() => {
  channel = createFakeChannel();
  site = createOutboxSite([channel]);
  mounted = [];
});
afterEach(async () => {
  await site.stop();
  for (const folder of mounted) execFileSync("umount", [folder]);
  await site.remove();
});

const decisionOf = (event: number) => aDecision(anAlarm({ eventId: eid(event), seenAt: Date.now() }), [anna]);
const events = (notices: readonly Notice[]) => notices.map(({ alarm }) => Number(alarm.eventId));
const messages = () => site.log.map((line) => String(line.msg));
const state = (event: number) => site.deliveries(event)[0]?.state;

function mount(options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", site.folder]);
  mounted.push(site.folder);
}

/** Fills the file system up to the last byte. */
function fill(): string {
  const ballast = join(site.folder, "ballast");
  expect(() => writeFileSync(ballast, Buffer.alloc(10_000_000))).toThrow(/ENOSPC/);
  return ballast;
}

/** The files as they lie on the disk this moment, as after a power cut; the program that wrote them goes on elsewhere. */
async function powerCut(change: (file: string) => void = () => undefined): Promise<void> {
  const image = createOutboxSite([channel]);
  for (const suffix of ["", "-wal"])
    if (existsSync(site.file + suffix)) copyFileSync(site.file + suffix, image.file + suffix);
  await site.remove();
  site = image;
  change(site.file);
}

describe.runIf(process.getuid?.() === 0)("a full disk", () => {
  test("costs no alarm; what was on disk before is delivered and acknowledged once there is room", async () => {
    mount("size=1m");
    await site.start();
    channel.answer = ({ alarm }) =>
      alarm.eventId === 1 && !existsSync(join(site.folder, "ballast")) ? "busy" : "accept";
    site.outbox.put([decisionOf(1)]);
    await eventually(() => expect(state(1)).toBe("pending"));
    const ballast = fill();
    for (let event = 2; event <= 200; event += 1) site.outbox.put([decisionOf(event)]);
    await eventually(() => expect(new Set(events(channel.accepted)).size).toBe(200));
    expect(site.outbox.health().unsaved).toBeGreaterThan(0);
    expect(messages()).toContain("Notices could not be saved: they are sent from memory, unsaved");
    expect(messages()).toContain("The store cannot be written; what it should hold is kept in memory");
    rmSync(ballast);
    await eventually(() => expect(state(1)).toBe("delivered"));
    expect(messages()).toContain("The store is written again");
  });

  test("does not hinder the start, and what waits is delivered", async () => {
    await site.start();
    channel.answer = () => "hang";
    site.outbox.put([decisionOf(1), decisionOf(2)]);
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    const copies = ["", "-wal"].map((suffix) => [suffix, readFileSync(site.file + suffix)] as const);
    await site.remove();
    site = createOutboxSite([channel]);
    mount("size=1m");
    for (const [suffix, bytes] of copies) writeFileSync(site.file + suffix, bytes);
    fill();
    channel.answer = () => "accept";
    await site.start();
    site.outbox.put([decisionOf(3)]);
    await eventually(() => expect(events(channel.accepted).sort()).toEqual([1, 2, 3]));
  });
});

describe.runIf(process.getuid?.() === 0)("a disk that became read-only", () => {
  test("while the program was dead: what waits is delivered, what comes is sent from memory and said", async () => {
    await site.start();
    channel.answer = () => "hang";
    site.outbox.put([decisionOf(1), decisionOf(2)]);
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    const names = ["", "-wal", "-shm"];
    const copies = names.map((suffix) => [suffix, readFileSync(site.file + suffix)] as const);
    await site.remove();
    site = createOutboxSite([channel]);
    mount("size=4m");
    for (const [suffix, bytes] of copies) writeFileSync(site.file + suffix, bytes);
    execFileSync("mount", ["-o", "remount,ro", site.folder]);
    channel.answer = () => "accept";
    await site.start();
    site.outbox.put([decisionOf(3)]);
    await eventually(() => expect(events(channel.accepted).sort()).toEqual([1, 2, 3]));
    expect(site.outbox.health().unsaved).toBe(1);
    expect(messages()).toContain("The store cannot be written; what it should hold is kept in memory");
  });
});

describe("a power cut", () => {
  test("loses nothing that was acknowledged", async () => {
    await site.start();
    channel.answer = () => "hang";
    for (let event = 1; event <= 50; event += 1) {
      site.outbox.put([decisionOf(event)]);
      if (event % 7 === 0) await site.store.flush();
    }
    await site.store.flush();
    await powerCut();
    channel.answer = () => "accept";
    await site.start();
    await eventually(() => expect(channel.accepted).toHaveLength(50));
    expect(messages()).not.toContain("The store was damaged and begins anew; the damaged file is kept");
  });

  test.each([0.05, 0.3, 0.5, 0.77, 0.999])(
    "in the middle of the write-ahead log (%d of it): what was complete is delivered",
    async (part) => {
      await site.start();
      channel.answer = () => "hang";
      for (let event = 1; event <= 50; event += 1) {
        site.outbox.put([decisionOf(event)]);
        await site.store.flush();
      }
      await powerCut((file) => truncateSync(`${file}-wal`, Math.floor(statSync(`${file}-wal`).size * part)));
      channel.answer = () => "accept";
      await site.start();
      site.outbox.put([decisionOf(99)]);
      await eventually(() => expect(state(99)).toBe("delivered"));
      await eventually(() => {
        const told = events(channel.accepted).filter((event) => event !== 99);
        // The oldest ones without a gap: no commit is half there.
        expect(told.sort((a, b) => a - b)).toEqual(told.map((_, index) => index + 1));
        for (const event of told) expect(state(event)).toBe("delivered");
      });
      if (part > 0.9) expect(channel.accepted.length).toBeGreaterThan(40);
    },
  );
});

describe("a damaged file", () => {
  /** Closed, so that everything is in the file itself. */
  async function waiting(count: number): Promise<void> {
    await site.start();
    channel.answer = () => "hang";
    site.outbox.put(Array.from({ length: count }, (_, index) => decisionOf(index + 1)));
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    await site.stop();
    channel.answer = () => "accept";
  }

  test("is put aside, what can be read of it is delivered, and both are said", async () => {
    await waiting(400);
    // Somewhere among the rows; the first page and most others stay as they are.
    const file = openSync(site.file, "r+");
    writeSync(file, Buffer.alloc(4096, 0x55), 0, 4096, 4096 * 30);
    await site.restart();
    const said = site.log.find(({ msg }) => String(msg).startsWith("The store was damaged"));
    expect(said?.salvagedNotices).toBeGreaterThan(100);
    await eventually(() => expect(new Set(events(channel.accepted)).size).toBe(said?.salvagedNotices));
    expect(readdirSync(site.folder).some((name) => name.startsWith("zmes.db.damaged-"))).toBe(true);
  });

  test("of which nothing can be read costs what was in it, and no later notice", async () => {
    await waiting(3);
    writeFileSync(site.file, "not a database ".repeat(1000));
    await site.restart();
    expect(site.log.find(({ msg }) => String(msg).startsWith("The store was damaged"))).toMatchObject({
      salvagedNotices: 0,
    });
    site.outbox.put([decisionOf(9)]);
    await eventually(() => expect(state(9)).toBe("delivered"));
  });
});
