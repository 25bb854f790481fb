// The channel to other push services: a script of the operator's, run for each alarm (push.api_push_script).
import type { Alarm } from "../domain/alarm.ts";
import type { DurableRecipient, Notice, RecipientId } from "../domain/notice.ts";
import { splitCommand } from "../lib/command-line.ts";
import type { Logger } from "../lib/log.ts";
import { hideSecrets } from "../lib/secrets-in-logs.ts";
import { type Channel, DeliveryError } from "./channel.ts";
import { scriptTrouble } from "./script-file.ts";

/** The section `push` of the configuration. */
export interface ScriptOptions {
  readonly use_api_push: boolean;
  readonly api_push_script: string | null;
  readonly script_timeout: number;
  readonly expires_after: number;
}

/** One run of a program, without a shell. */
interface ScriptRun {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How a run ended, as far as this channel wants to know. */
interface ScriptResult {
  readonly end:
    | { readonly kind: "exited"; readonly code: number }
    | { readonly kind: "killed"; readonly signal: string }
    | { readonly kind: "timeout" | "aborted" }
    | { readonly kind: "not-started"; readonly code: string | null; readonly reason: string };
  readonly stdout: string;
  readonly stderr: string;
}

interface ScriptRunner {
  run(script: ScriptRun): Promise<ScriptResult>;
  /** Kills what is left of earlier runs. */
  stop(): void;
}

export interface ScriptChannelDeps {
  readonly options: ScriptOptions;
  /** The section `hook`: whether scripts are given the folder of the event. */
  readonly hook: { readonly hook_pass_image_path: boolean };
  readonly runner: ScriptRunner;
  /** $PATH, as the runner gives it to scripts. */
  readonly searchPath: string;
  /** Where the event's files are, or will be; null when nobody can say. */
  readonly eventFolder: (alarm: Alarm) => Promise<string | null>;
  readonly logger: Logger;
}

const RECIPIENT = "script" as RecipientId;
/** Scripts at once: most of them wait for a web service, and the cameras need the processor. */
const CONCURRENCY = 4;
/** EX_TEMPFAIL of sysexits.h: the script says itself that it should be run again. */
const TRY_AGAIN = 75;
/** What the script printed is kept in the history for a person to read: its last lines. */
const KEPT_CHARACTERS = 500;

/**
 * The original ran the script once and only logged the exit code, so scripts were written that do their work and end
 * with anything: run again, they would tell twice. So every exit code but 0 and 75 (try again) is final, and so are
 * a signal and the time limit. What never ran (no such file yet, no memory) is tried again.
 */
export function createScriptChannel(deps: ScriptChannelDeps): Channel {
  const { options, hook, runner, searchPath, eventFolder, logger } = deps;
  const command = options.use_api_push ? splitCommand(options.api_push_script ?? "") : null;
  const [program = ""] = command?.words ?? [];
  const recipient: DurableRecipient = {
    id: RECIPIENT,
    channel: "script",
    label: `script ${program.slice(program.lastIndexOf("/") + 1)}`,
    preferences: { monitors: "all", intervals: new Map(), rights: "all", lastTold: new Map() },
    isOrderedByMonitor: true,
  };

  return {
    name: "script",
    concurrency: CONCURRENCY,
    expiresAfterMs: options.expires_after * 1000,
    recipients: () => (command === null ? [] : [recipient]),
    async start() {
      const trouble = command === null ? null : scriptTrouble(options.api_push_script ?? "", searchPath);
      if (trouble !== null) logger.warn(`${trouble.message}. ${trouble.hint} [${trouble.code}]`);
    },
    async stop() {
      runner.stop();
    },
    async deliver(notice, signal) {
      if (command === null) throw new DeliveryError("rejected", "push scripts are switched off");
      const path = hook.hook_pass_image_path ? await eventFolder(notice.alarm) : null;
      const argv = [...command.words, ...scriptArguments(notice, path)];
      const result = await runner.run({ argv, timeoutMs: options.script_timeout * 1000, signal });
      logger.debug(
        { alarm: notice.alarm.id, end: result.end, stdout: result.stdout, stderr: result.stderr },
        "The push script has ended",
      );
      signal.throwIfAborted();
      return outcome(result, options);
    },
  };
}

/** Event, monitor, name, cause, which end of the alarm, folder: in the order of the original since 5.9. */
function scriptArguments({ alarm }: Notice, eventPath: string | null): readonly string[] {
  const { monitor, eventId, cause, phase } = alarm;
  const which = phase === "ended" ? "event_end" : "event_start";
  const words = [String(eventId ?? 0), String(monitor.id), monitor.name, cause, which];
  return eventPath === null ? words : [...words, eventPath];
}

function outcome(result: ScriptResult, { script_timeout }: ScriptOptions): string {
  const { end } = result;
  switch (end.kind) {
    case "exited": {
      const words = `the script ended with exit code ${end.code}${lastWords(result)}`;
      if (end.code === 0) return words;
      throw new DeliveryError(end.code === TRY_AGAIN ? "retry" : "rejected", words);
    }
    case "killed":
      throw new DeliveryError("rejected", `the script was ended by ${end.signal}${lastWords(result)}`);
    case "timeout":
      throw new DeliveryError(
        "rejected",
        `the script took longer than ${script_timeout} s (push.script_timeout) and was ended${lastWords(result)}`,
      );
    case "aborted":
      throw new DeliveryError("retry", "the script was ended because the program stops");
    case "not-started":
      throw new DeliveryError("retry", `the script could not be started: ${end.reason}`);
  }
}

/** The end of what it printed, complaints first, on one line. */
function lastWords({ stdout, stderr }: ScriptResult): string {
  const said = stderr.trim() || stdout.trim();
  if (said === "") return "";
  const line = hideSecrets(said)
    .replace(/\p{Cc}+/gu, " ")
    .slice(-KEPT_CHARACTERS)
    .trim();
  return `: ${line}`;
}
