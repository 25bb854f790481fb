// Asks the server's detector, and looks in a process of its own when there is nobody to ask.
import path from "node:path";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { DetectionFailure } from "../../detect/detector.ts";
import type { DetectionAnswer } from "../../detect/job.ts";
import { askDetector } from "../../detect/socket-client.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import { createLogger, type Logger } from "../../lib/log.ts";
import { becomeUser } from "../../lib/privileges.ts";
import { readZmConf } from "../../zoneminder/zm-conf.ts";
import type { CommandIo } from "../command.ts";
import { lookOurselves, type OwnDetectionOptions } from "../detection/own.ts";
import { DETECTOR_SOCKET } from "../detection.ts";

export interface AskOptions extends OwnDetectionOptions {
  /** Why the server cannot be asked, where the caller has tried; null: it is asked. */
  readonly unreachable: string | null;
  /** Called before it looks itself, with the reason. */
  onOwn(why: string): void;
}

export interface Asked {
  readonly found: DetectionAnswer | DetectionFailure;
  /** Null: the server's detector looked. */
  readonly whyOwn: string | null;
}

/**
 * Never rejects. A file that the server cannot read is looked at here as well: it may be hidden from services (systemd's
 * PrivateTmp and ProtectHome).
 */
export async function askOrLook(request: DetectRequest, options: AskOptions): Promise<Asked> {
  const { config, signal } = options;
  let whyOwn = options.unreachable;
  if (whyOwn === null) {
    const socket = path.join(config.general.base_data_path, DETECTOR_SOCKET);
    const found = await askDetector({ path: socket, request, signal });
    const isFinal = !("unreachable" in found) && !("failed" in found && request.file !== null);
    if (isFinal) return { found, whyOwn: null };
    whyOwn = "failed" in found ? `the server's detector: ${found.failed}` : reasonFor(found.unreachable);
  } else whyOwn = reasonFor(whyOwn);
  if (signal.aborted) return { found: { failed: "called off" }, whyOwn };
  options.onOwn(whyOwn);
  return { found: await lookOurselves(request, options), whyOwn };
}

/** The sections that a detector reads. */
const NEEDED = new Set(["detection", "general", "hook", "zoneminder"]);

/**
 * The first thing that is wrong with the configuration as far as a detector needs it; a missing certificate is not. A line
 * names its key in front of the first colon and blank: "FILE:LINE section.key: ...", "FILE: section.key: ...", or without a
 * file "section.key: ...".
 */
export function problemOf({ problems }: Pick<LoadedConfig, "problems">): string | null {
  const sectionOf = (problem: string) => /(?:^| )([a-z_]+)\.[a-z_0-9]+: /.exec(problem)?.[1];
  return problems.find((problem) => NEEDED.has(sectionOf(problem) ?? "general")) ?? null;
}

/**
 * What a detector leaves behind belongs to the web server's user: root becomes that user. A machine without ZoneMinder need
 * not have one.
 */
export function becomeOwner({ zoneminder }: Pick<Config, "zoneminder">): void {
  const read = readZmConf(zoneminder.config);
  if (read.ok) becomeUser(read.conf.values.get("ZM_WEB_USER"), read.conf.values.get("ZM_WEB_GROUP"));
}

/** In words, for what happens every day. */
function reasonFor(unreachable: string): string {
  if (/ENOENT|ECONNREFUSED/.test(unreachable)) return "no server with a detector runs";
  if (/EACCES/.test(unreachable)) return "the server's detector is for its own user and root only";
  return `the server's detector does not answer: ${unreachable}`;
}

/** What matters of the detector's log, for whoever called the command. */
export function createStderrLogger({ stderr }: Pick<CommandIo, "stderr">, name: string): Logger {
  const { logger } = createLogger([
    {
      name: "stderr",
      level: "warn",
      write: ({ message }) => void stderr.write(`${name}: ${message}\n`),
      close: async () => undefined,
    },
  ]);
  return logger;
}
