// The scripts of the configuration, as programs with arguments.
import { splitCommand } from "../lib/command-line.ts";
import type { Logger } from "../lib/log.ts";

/** Keys of the section "hook". */
export interface CommandOptions {
  readonly hook_script: string | null;
  readonly event_start_hook: string | null;
  readonly event_end_hook: string | null;
  readonly event_start_hook_notify_userscript: string | null;
  readonly event_end_hook_notify_userscript: string | null;
}

interface Commands {
  readonly start: readonly string[] | null;
  readonly end: readonly string[] | null;
  readonly userStart: readonly string[] | null;
  readonly userEnd: readonly string[] | null;
}

/** The configured values in words, as a shell would split them; a value that only a shell understands is said. */
export function commandsOf({ hook, logger }: { hook: CommandOptions; logger: Logger }): Commands {
  const split = (text: string | null, key: string): readonly string[] | null => {
    if (text === null || text.trim() === "") return null;
    const command = splitCommand(text);
    if (command === null) logger.error(`hook.${key}: a quote is not closed; nothing is run`);
    if (command?.wantsShell)
      logger.warn(`hook.${key}: this is run without a shell; what only a shell understands has no effect`);
    return command?.words ?? null;
  };
  return {
    start: split(hook.event_start_hook, "event_start_hook") ?? split(hook.hook_script, "hook_script"),
    end: split(hook.event_end_hook, "event_end_hook"),
    userStart: split(hook.event_start_hook_notify_userscript, "event_start_hook_notify_userscript"),
    userEnd: split(hook.event_end_hook_notify_userscript, "event_end_hook_notify_userscript"),
  };
}
