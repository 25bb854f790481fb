// The models of the built-in detector: their files are there, the server can read them, and they are of a kind that is known.
import { existsSync } from "node:fs";
import path from "node:path";
import { tryModel } from "../../detect/models/trial.ts";
import { howToInstall } from "../../detect/packages.ts";
import type {
  DarknetSettings,
  EngineSettings,
  HogSettings,
  OnnxSettings,
} from "../../domain/detect-settings.ts";
import { shellWord } from "../../lib/command-line.ts";
import { reasonOf } from "../../lib/errors.ts";
import { type Finding, ok, problem, warning } from "./check.ts";
import { closedFolder, look } from "./hooks.ts";
import type { Subject } from "./subject.ts";
import { mayAccess } from "./system.ts";

interface Surroundings extends Pick<Subject, "user" | "clock"> {
  /** Whether what models run with is installed. */
  readonly canLoad: boolean;
}

type Loadable = OnnxSettings | DarknetSettings | HogSettings;

/** All of them together; below the deadline of the check. */
const LOADING_MS = 20_000;

/** Models are loaded one after the other, each in a process of its own: a damaged one can abort it. */
export async function lookAtEngines(
  engines: readonly EngineSettings[],
  surroundings: Surroundings,
): Promise<readonly Finding[]> {
  const { user, clock } = surroundings;
  const until = clock.monotonic() + LOADING_MS;
  const findings: Finding[] = [];
  for (const engine of engines) {
    switch (engine.kind) {
      case "remote":
        findings.push(ok(`Pictures are sent to the detection server ${originOf(engine.url)}`));
        break;
      case "plates":
        findings.push(ok(`Number plates are read by ${originOf(engine.url)}`));
        break;
      case "command":
        findings.push(look("A model's command", engine.argv[0] ?? "", user));
        break;
      case "onnx":
      case "darknet":
      case "hog": {
        const faults = faultsOf(engine, user);
        findings.push(...faults);
        const left = until - clock.monotonic();
        if (faults.length === 0 && surroundings.canLoad) findings.push(...(await loadOne(engine, left)));
      }
    }
  }
  return findings;
}

/** An address may carry a key. */
function originOf(url: string): string {
  return URL.parse(url)?.origin ?? "(not an address)";
}

function faultsOf(engine: Loadable, user: string): readonly Finding[] {
  if (engine.kind === "hog") return [];
  const { weights, labels } = engine;
  const config = engine.kind === "darknet" ? engine.config : null;
  return [weights, config, labels].flatMap((file) => (file === null ? [] : faultOf(file, user)));
}

function faultOf(file: string, user: string): readonly Finding[] {
  const closed = closedFolder(file);
  if (closed !== null)
    return [
      problem(
        `${file} cannot be reached: ${user} may not enter ${closed}`,
        `Open the folder: sudo chmod o+x ${shellWord(closed)}`,
      ),
    ];
  if (!existsSync(file))
    return [
      problem(`${file} does not exist`, "Put it there, or have it put in place: sudo zmes models add FILE"),
    ];
  if (mayAccess(file, "read")) return [];
  return [
    problem(`${file} may not be read by ${user}`, `Make it readable: sudo chmod a+r ${shellWord(file)}`),
  ];
}

async function loadOne(settings: Loadable, ms: number): Promise<readonly Finding[]> {
  const name = settings.kind === "hog" ? "hog" : path.basename(settings.weights);
  const more = settings.kind === "hog" ? howToInstall() : `Try it by itself: ${checkCommand(settings)}`;
  const late = warning(`${name} was not ready within ${LOADING_MS / 1000} s`, more);
  if (ms <= 0) return [late];
  const signal = AbortSignal.timeout(Math.ceil(ms));
  try {
    const job = { settings, threads: 1, isOnlyLoaded: true };
    const { description, remarks } = await tryModel(job, { signal });
    return [ok(`${name}: ${description}`), ...remarks.map((text) => warning(text.replace(/\.$/, ""), null))];
  } catch (failure) {
    if (signal.aborted) return [late];
    const reason = reasonOf(failure).replace(/\.$/, "");
    return [problem(reason.includes(name) ? reason : `${name}: ${reason}`, more)];
  }
}

function checkCommand(settings: OnnxSettings | DarknetSettings): string {
  const config = settings.kind === "darknet" ? [settings.config] : [];
  const files = [...config, settings.weights, ...(settings.labels === null ? [] : [settings.labels])];
  return ["sudo zmes models check", ...files.map(shellWord)].join(" ");
}
