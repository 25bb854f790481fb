// `zmes detect-script`: the original's scripts, with their arguments, output and exit codes. ZoneMinder or a server waits for
// them, so this file loads nothing that a question to the resident detector does not need.
import type { DetectionFailure } from "../detect/detector.ts";
import type { DetectionAnswer } from "../detect/job.ts";
import { askOnce } from "../detect/socket-question.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import {
  readScriptCall,
  SCRIPTS,
  type ScriptCall,
  type ScriptName,
  scriptName,
} from "./detect/script-arguments.ts";
import { programVersion } from "./version.ts";

export const detectScript: Command = {
  name: "detect-script",
  summary: "do what a script of the original does, with the built-in detector",
  usage: "detect-script [OPTIONS] SCRIPT ARGUMENTS...",
  options: [
    { flag: "--socket FILE", text: "ask the server here; without it, where the configuration says" },
    { flag: "--zmes-config FILE", text: "configuration of zmes, used when no server answers" },
  ],
  notes: [
    `SCRIPT is one of ${SCRIPTS.join(", ")}; ARGUMENTS are the script's own. \`zmes detect install-scripts DIR\` puts files of these names in place that call this.`,
  ],
  run: runScript,
};

interface Call {
  readonly name: ScriptName;
  readonly socket: string | null;
  readonly configPath: string | null;
  readonly call: ScriptCall;
}

/** Never rejects. A TERM or INT ends it silently with 1, so that nobody is told of what was not looked at. */
async function runScript(argv: readonly string[], io: CommandIo): Promise<number> {
  const read = readCall(argv);
  if (typeof read === "string") return refuseUsage(io, "detect-script", read);
  const { name, call } = read;
  switch (call.kind) {
    case "refused":
      io.stderr.write(`${name}: ${call.why}\n`);
      return call.exitCode;
    case "echo":
      io.stdout.write(`${call.text}\n`);
      return EXIT.ok;
    case "version":
      io.stdout.write(call.isBare ? `${programVersion}\n` : `app:${programVersion}, zmes\n`);
      return EXIT.ok;
    case "look":
    case "fake": {
      const signal = io.stopSignal();
      const found = await Promise.race([answerFor(read, io, signal), tooLate(signal)]);
      return found === null || signal.aborted ? EXIT.failed : tell(name, found, io);
    }
  }
}

/** What it has started is ended first, as far as that is quick: ZoneMinder kills what does not end within some seconds. */
const TIDYING_MS = 1_500;

function tooLate(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => setTimeout(resolve, TIDYING_MS, null), { once: true });
  });
}

function readCall(argv: readonly string[]): Call | string {
  const own = new Map<string, string>();
  let index = 0;
  for (; argv[index]?.startsWith("--"); index += 2) {
    const [flag = "", value] = [argv[index], argv[index + 1]];
    if (flag !== "--socket" && flag !== "--zmes-config") return `${flag} is not one of its options.`;
    if (value === undefined) return `${flag} needs a value.`;
    own.set(flag, value);
  }
  const name = scriptName(argv[index] ?? "");
  if (name === null) return `it takes the name of a script: ${SCRIPTS.join(", ")}.`;
  const call = readScriptCall(name, argv.slice(index + 1));
  return { name, socket: own.get("--socket") ?? null, configPath: own.get("--zmes-config") ?? null, call };
}

/** The part of an answer that every script needs. */
type Answer = Pick<DetectionAnswer, "printed">;

async function answerFor(call: Call, io: CommandIo, signal: AbortSignal): Promise<Answer | DetectionFailure> {
  const { call: wanted, socket } = call;
  let unreachable: string | null = null;
  if (wanted.kind === "look" && !wanted.isDebug && socket !== null) {
    const { request } = wanted;
    const found = await askOnce({ path: socket, request, signal, readAnswer: printedOf });
    if (!("unreachable" in found)) return found;
    unreachable = found.unreachable;
  }
  if (signal.aborted) return { failed: "" };
  // Everything else takes its time, and has its libraries loaded only now.
  const { answerSlowly } = await import("./detect/script-slow.ts");
  return answerSlowly({ ...call, unreachable, io, signal });
}

function printedOf(value: unknown): Answer | null {
  if (typeof value !== "object" || value === null || !("printed" in value)) return null;
  return typeof value.printed === "string" ? { printed: value.printed } : null;
}

/** What each script says, and its exit code. */
function tell(name: ScriptName, found: Answer | DetectionFailure, io: CommandIo): number {
  if ("failed" in found) {
    io.stderr.write(`${name}: ${found.failed}\n`);
    return EXIT.failed;
  }
  const { printed } = found;
  const isFound = printed !== "";
  const [text = ""] = printed.split("--SPLIT--");
  switch (name) {
    case "zm_detect.py":
      if (isFound) io.stdout.write(`${printed}\n`);
      return EXIT.ok;
    case "detect_yolo.py":
      io.stdout.write(`${text}\n`);
      return EXIT.ok;
    case "detect_hog.py":
      io.stdout.write(isFound ? "detected: person\n" : "\n");
      return EXIT.ok;
    default:
      // `echo ${RESULTS}` in the original: every run of blanks becomes one. Version 3 knew no JSON.
      if (isFound)
        io.stdout.write(`${(name === "detect_wrapper.sh" ? text : printed).trim().replace(/\s+/g, " ")}\n`);
      return isFound ? EXIT.ok : EXIT.failed;
  }
}
