// Moving pictures of events: made by the real ffmpeg in a process of their own, whatever becomes of the one that looked.
import { copyFileSync, existsSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { detectScript } from "../../src/cli/detect-script.ts";
import type { DetectRequest } from "../../src/detect/socket-messages.ts";
import { testIo } from "../support/command-io.ts";
import { type DetectSite, detectSite } from "../support/detect-site.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";

let site: DetectSite;
let made: string;

beforeEach(async () => {
  const file = path.join(await temporaryFolder(), "objectconfig.ini");
  site = await detectSite({ config: file, idle_unload: 1 });
  const animation =
    "create_animation=yes\nanimation_width=64\nanimation_retry_sleep=2\nanimation_max_tries=1\n";
  writeFileSync(
    file,
    `[general]\nuse_sequence=no\n[animation]\n${animation}[object]\nobject_weights=${site.data}/models/demo.onnx\n`,
  );
  made = path.join(site.folder, "77/objdetect.mp4");
  for (let second = 1; second <= 6; second++) {
    const frame = path.join(site.folder, `77/0000${second}-capture.jpg`);
    copyFileSync(site.picture, frame);
    utimesSync(frame, 1_700_000_000 + second, 1_700_000_000 + second);
  }
});

const request: DetectRequest = {
  event: 77,
  file: null,
  monitor: null,
  cause: "Motion",
  path: null,
  options: { config: null, overrides: [], writesFiles: true, drawTo: null },
};
const isMade = () => vi.waitFor(() => expect(existsSync(made)).toBe(true), { timeout: 15_000 });

it("is made although the detector is killed as soon as it has looked", async () => {
  const server = await site.serve();
  const found = await server.look(request, new AbortController().signal);
  process.kill(server.counts().pid ?? 0, "SIGKILL");
  expect(found).toMatchObject({ printed: expect.stringContaining("person") });
  await isMade();
  for (const part of server.parts.toReversed()) await part.stop();
});

it("of an open event is made although the detector gives its memory back meanwhile", async () => {
  const server = await site.serve();
  // Whoever names the folder is not told by the database whether the event has ended: it is taken for open.
  const folder = path.join(site.folder, "77");
  await server.look({ ...request, event: 79, path: folder }, new AbortController().signal);
  await eventually(() => expect(server.counts().pid).toBeNull());
  expect(existsSync(made)).toBe(false);
  await isMade();
  for (const part of server.parts.toReversed()) await part.stop();
});

it("of a script that looked by itself is made after the script has ended", async () => {
  const io = testIo({ PATH: process.env.PATH });
  const argv = ["zm_detect.py", "-e", "79", "-p", path.join(site.folder, "77")];
  const code = await detectScript.run(["--zmes-config", site.config, ...argv], io);
  expect([code, io.out()]).toEqual([0, expect.stringContaining("detected:person")]);
  expect(existsSync(made)).toBe(false);
  await isMade();
});

it("ends with the server", async () => {
  const server = await site.serve();
  const folder = path.join(site.folder, "77");
  await server.look({ ...request, event: 79, path: folder }, new AbortController().signal);
  const begun = performance.now();
  for (const part of server.parts.toReversed()) await part.stop();
  expect(performance.now() - begun).toBeLessThan(1_500);
  expect(existsSync(made)).toBe(false);
});
