// Any program that prints what the original's detector printed: text, --SPLIT--, JSON. Keeps face recognition, Coral and others.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { CommandSettings } from "../../domain/detect-settings.ts";
import type { Size } from "../../domain/detection.ts";
import { systemClock } from "../../lib/clock.ts";
import { createProgramRunner, type ProgramResult } from "../../lib/run-program.ts";
import { hideSecrets } from "../../lib/secrets-in-logs.ts";
import type { Engine, EngineOptions, Finding } from "./engine.ts";
import { finding, readMatched, strongestFirst } from "./matched.ts";

/** Room for some thousand boxes. */
const OUTPUT_BYTES = 262_144;
/** Meant for us alone. */
const DROPPED = new Set(["NODE_OPTIONS", "NOTIFY_SOCKET"]);

/** The program is not run before `detect`. */
export async function createCommandEngine(
  settings: CommandSettings,
  _options: EngineOptions,
): Promise<Engine> {
  const { argv, timeoutMs } = settings;
  const [program = ""] = argv;
  const kept = Object.entries(process.env).filter(([name]) => !DROPPED.has(name));
  const environment = Object.fromEntries(kept);
  const programs = createProgramRunner({ environment, clock: systemClock, outputBytes: OUTPUT_BYTES });
  return {
    description: `the program ${program}`,
    labels: null,
    async detect(frame, { minConfidence, signal }) {
      // A folder that only this user can enter: pictures of cameras are nobody else's business.
      const folder = await mkdtemp(join(tmpdir(), "zmes-picture-"));
      try {
        const file = join(folder, "picture.jpg");
        await writeFile(file, await frame.jpeg(), { mode: 0o600 });
        const result = await programs.run({ argv: withFile(argv, file), timeoutMs, signal });
        signal.throwIfAborted();
        return readPrinted(result, settings, frame.size).filter(
          ({ confidence }) => confidence >= minConfidence,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async close() {
      programs.stop();
    },
  };
}

function withFile(argv: readonly string[], file: string): readonly string[] {
  const replaced = argv.map((word) => word.replaceAll("{file}", file));
  return argv.some((word) => word.includes("{file}")) ? replaced : [...replaced, file];
}

function readPrinted(
  result: ProgramResult,
  { argv, timeoutMs }: CommandSettings,
  size: Size,
): readonly Finding[] {
  const name = basename(argv[0] ?? "");
  const { end, stdout, isCut } = result;
  if (end.kind === "timeout") throw new Error(`${name} did not finish within ${timeoutMs / 1000} s`);
  if (end.kind === "aborted") throw new Error(`${name} was stopped`);
  if (end.kind === "not-started") throw new Error(`${argv[0]} could not be started: ${end.reason}`);
  if (end.kind === "killed") throw new Error(`${name} was ended by ${end.signal}${lastWords(result)}`);
  // The original's wrapper ends with 1 and says nothing when nothing was found.
  const isEmpty = stdout.trim() === "" && result.stderr.trim() === "";
  if (end.code !== 0 && !(end.code === 1 && isEmpty)) {
    throw new Error(`${name} ended with ${end.code}${lastWords(result)}`);
  }
  // What it says beside its answer may be as long as it likes.
  if (isCut && Buffer.byteLength(stdout) >= OUTPUT_BYTES)
    throw new Error(`${name} printed more than ${OUTPUT_BYTES} bytes`);
  return readText(name, stdout, size);
}

/** Other lines than the one with "detected:" are the program's own talk. */
function readText(name: string, stdout: string, size: Size): readonly Finding[] {
  const line = stdout.split("\n").findLast((text) => text.includes("detected:"));
  if (line === undefined) return [];
  const [text = "", json] = line.split("--SPLIT--", 2);
  if (json === undefined) return readLabels(text, size);
  const findings = readMatched(parsed(json), size);
  if (findings !== null) return findings;
  throw new Error(`${name} printed --SPLIT-- and no JSON with labels, boxes and confidences after it`);
}

/** Text alone, as version 3 printed it: what was found, not where, so it is everywhere. */
function readLabels(text: string, { width, height }: Size): readonly Finding[] {
  const words = text.slice(text.indexOf("detected:") + "detected:".length).trim();
  const items = /:\d+%/.test(words)
    ? [...words.matchAll(/(?:\([^)]*\) )?(.+?):(\d+)%(?:\s+|$)/g)].map(
        ([, label = "", percent]) => [label, Number(percent) / 100] as const,
      )
    : words.split(",").map((label) => [label.trim(), 1] as const);
  return strongestFirst(
    items.flatMap(([label, confidence]) =>
      label === "" ? [] : finding(label, confidence, [0, 0, width, height], { width, height }),
    ),
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The last line of what it complained about. */
function lastWords({ stderr, stdout }: ProgramResult): string {
  const line = (stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "";
  return line === "" ? "" : `: ${hideSecrets(line).slice(0, 300)}`;
}
