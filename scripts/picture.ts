// `npm run picture`: runs `zmes demo` and `zmes listen` for real, and draws what both printed for the README.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { terminalPicture } from "./terminal-picture.ts";

const root = path.dirname(import.meta.dirname);
const target = path.join(root, "docs/images/demo.svg");
/** Shown in each terminal. */
const ALARMS = 4;
/** A slow machine needs some seconds to start. */
const START_MS = 30_000;

const demoCall = ["demo", "--monitors", "3", "--every", "1.5"];
const demo = start(demoCall);
try {
  const banner = await printed(demo, "as they are delivered:");
  const url = /URL +(\S+)/.exec(banner)?.[1] ?? "";
  const password = /password +(\S+)/.exec(banner)?.[1] ?? "";
  const listenCall = ["listen", url, "--user", "demo", "--count", String(ALARMS)];
  const listen = start(listenCall, { ZMES_PASSWORD: password });
  await once(listen.child, "close");
  const told = demo
    .output()
    .split("\n")
    .filter((line) => line.endsWith(", 1 client"));
  const received = listen.output().trimEnd().split("\n");
  if (told.length < ALARMS || received.length < ALARMS)
    throw new Error(`Not all alarms arrived:\n${demo.output()}\n${listen.output()}`);
  // The hints for the second terminal are left out: the second terminal shows them.
  const head = banner.slice(0, banner.indexOf("In another terminal")).trim().split("\n");
  const svg = terminalPicture(
    [
      { command: `zmes ${demoCall.join(" ")}`, lines: [...head, "", ...told.slice(0, ALARMS)] },
      { command: `ZMES_PASSWORD=${password} zmes ${listenCall.join(" ")}`, lines: received },
    ],
    "zmes demo writes simulated alarms into shared memory, and zmes listen shows them milliseconds later",
  );
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, svg);
  console.log(`${path.relative(root, target)} is written.`);
} finally {
  demo.child.kill("SIGTERM");
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  output(): string;
}

function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(path.join(root, "bin/zmes"), argv, { env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  return { child, output: () => output };
}

/** Everything up to and with that text. */
async function printed({ child, output }: Started, text: string): Promise<string> {
  for (let waited = 0; waited < START_MS && child.exitCode === null; waited += 50) {
    const end = output().indexOf(text);
    if (end >= 0) return output().slice(0, end + text.length);
    await setTimeout(50);
  }
  throw new Error(`"${text}" was not printed:\n${output()}`);
}
