// The built-in detector: its settings, what is installed for it, whether its models can be used, and whether it can be asked.
import { existsSync } from "node:fs";
import path from "node:path";
import { loadObjectConfig } from "../../config/objectconfig/kept-file.ts";
import { noteLine } from "../../config/objectconfig/object-config.ts";
import type { Config } from "../../config/schema.ts";
import { howToInstall, missingPackages } from "../../detect/packages.ts";
import { askDetector } from "../../detect/socket-client.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { DetectSettings, EngineSettings } from "../../domain/detect-settings.ts";
import { AppError } from "../../lib/errors.ts";
import { createLogger } from "../../lib/log.ts";
import { createSettingsFor } from "../detection/settings.ts";
import { DETECTOR_SOCKET } from "../detection.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import { lookAtEngines } from "./engines.ts";
import { hasSystemd, type Subject } from "./subject.ts";
import { mayAccess } from "./system.ts";

export const detection: Check = {
  name: "detection",
  title: "Detection",
  deadlineMs: 28_000,
  async run(subject) {
    const { config } = subject;
    if (!isWanted(config.detection)) return [skipped("The built-in detector is off (detection.enable)")];
    const { settings, findings } = await settingsOf(config);
    const engines = distinct(settings);
    const missing = missingPackages(engines.map(({ kind }) => kind));
    const models = await lookAtEngines(engines, { ...subject, canLoad: missing.length === 0 });
    return [
      ...findings,
      ...packagesFound(missing),
      ...models,
      ...ffmpeg(process.env.PATH),
      ...(await socket(subject)),
    ];
  },
};

/** For alarms, or for commands: those have it by default, and who has named nothing for it has no use for it yet. */
function isWanted({ enable, serve_commands, model, config }: Config["detection"]): boolean {
  return enable || (serve_commands && (model !== null || config !== null));
}

/** Of all monitors; empty where they cannot be read. */
async function settingsOf(
  config: Config,
): Promise<{ readonly settings: readonly DetectSettings[]; readonly findings: readonly Finding[] }> {
  const said: string[] = [];
  const write = ({ message }: { readonly message: string }) => void said.push(message);
  const { logger } = createLogger([{ name: "doctor", level: "warn", write, close: async () => undefined }]);
  const file = config.detection.config;
  const { monitors, findings } = file === null ? NO_FILE : objectConfig(file, config.detection);
  const settingsFor = createSettingsFor(config, logger);
  const read = await Promise.all(monitors.map((monitor) => settingsFor(monitor, NOTHING.options)));
  const failures = read.flatMap((one) => ("failed" in one ? [one.failed] : []));
  const warnings = file === null ? said : [];
  return {
    settings: read.flatMap((one) => ("failed" in one ? [] : [one])),
    findings: [
      ...findings,
      // Of a file, all has been said above.
      ...(file === null ? failures.map((text) => problem(bare(text), "Correct the section detection.")) : []),
      ...warnings.map((text) => warning(bare(text), null)),
    ],
  };
}

const NO_FILE = { monitors: [null], findings: [] } as const;

function objectConfig(
  file: string,
  section: Config["detection"],
): { readonly monitors: readonly (number | null)[]; readonly findings: readonly Finding[] } {
  try {
    const read = loadObjectConfig(file, section);
    const { problems, notes } = read.review();
    const correct = `Correct ${file}; \`zmes check-config\` shows what is read from it.`;
    const without =
      notes.length === 0
        ? ""
        : `; ${notes.length} of its keys have no effect, or another than before (zmes check-config)`;
    const unsupported = notes.filter(({ why }) => why.includes("zmes itself"));
    return {
      monitors: [null, ...read.monitors],
      findings: [
        ...(problems.length === 0 ? [ok(`${file} was read${without}`)] : []),
        ...problems.map((text) => problem(bare(text), correct)),
        ...unsupported.map((note) => warning(bare(noteLine(note)), null)),
      ],
    };
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return { monitors: [], findings: [problem(bare(failure.message), failure.hint)] };
  }
}

/** Each once, and those that stand in for a server that does not answer. */
function distinct(settings: readonly DetectSettings[]): readonly EngineSettings[] {
  const all = settings
    .flatMap(({ sequence }) => sequence.flatMap(({ models }) => models.map(({ engine }) => engine)))
    .flatMap((engine) =>
      engine.kind === "remote" && engine.fallback ? [engine, engine.fallback] : [engine],
    );
  return [...new Map(all.map((engine) => [JSON.stringify(engine), engine])).values()];
}

function packagesFound(missing: readonly string[]): readonly Finding[] {
  if (missing.length === 0) return [];
  return [problem(`What the detector runs with is not installed: ${missing.join(", ")}`, howToInstall())];
}

/** Exported for tests. */
export function ffmpeg(searched: string | undefined): readonly Finding[] {
  const files = (searched ?? "").split(":").map((folder) => path.join(folder, "ffmpeg"));
  if (files.some((file) => existsSync(file) && mayAccess(file, "execute"))) return [ok("ffmpeg is there")];
  const text = "ffmpeg is not installed: of events that are kept as a video only, nothing can be looked at";
  return [warning(text, "Install it: sudo apt install ffmpeg")];
}

/** A server that listens on the port has the detector's socket as well. */
async function socket({ config, holder }: Subject): Promise<readonly Finding[]> {
  if (!config.detection.serve_commands || holder === null || !holder.isOurs) return [];
  const file = path.join(config.general.base_data_path, DETECTOR_SOCKET);
  const answer = await askDetector({ path: file, request: NOTHING, signal: AbortSignal.timeout(SOCKET_MS) });
  if (!("unreachable" in answer)) return [ok(`The server answers commands through ${file}`)];
  const restart = hasSystemd() ? ": sudo systemctl restart zmes" : ".";
  return [
    warning(
      `Commands do not reach the server's detector through ${file}: ${bare(answer.unreachable)}`,
      `Restart the server, so that it takes up the section detection${restart}`,
    ),
  ];
}

const SOCKET_MS = 5_000;

/** Names neither an event nor a file: it is refused before a detector is started. */
const NOTHING: DetectRequest = {
  event: null,
  file: null,
  monitor: null,
  cause: "",
  path: null,
  options: { config: null, overrides: [], writesFiles: false, drawTo: null },
};

function bare(text: string): string {
  return text.trim().replace(/\.$/, "");
}
