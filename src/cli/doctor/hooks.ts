// The scripts of the configuration: there, executable, and with an interpreter that exists.
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Config } from "../../config/schema.ts";
import { shellWord, splitCommand } from "../../lib/command-line.ts";
import { type Check, type Finding, ok, problem, skipped } from "./check.ts";
import { mayAccess } from "./system.ts";

export const hooks: Check = {
  name: "hooks",
  title: "Scripts",
  async run({ config, user }) {
    const scripts = named(config);
    if (scripts.length === 0) return [skipped("No script is configured")];
    return scripts.map(({ key, command }) => {
      const file = splitCommand(command)?.words[0];
      return file === undefined
        ? problem(`${key} is not a command`, "Write the path of the script.")
        : look(key, file, user);
    });
  },
};

interface Script {
  readonly key: string;
  readonly command: string;
}

function named({ hook, push, customize }: Config): readonly Script[] {
  const keys = [
    "hook_script",
    "event_start_hook",
    "event_end_hook",
    "event_start_hook_notify_userscript",
    "event_end_hook_notify_userscript",
  ] as const;
  // A hook of an old file runs without the switch.
  const runs = customize.use_hooks || hook.hook_script !== null;
  const own = runs ? keys.map((key) => ({ key: `hook.${key}`, command: hook[key] })) : [];
  const api = { key: "push.api_push_script", command: push.use_api_push ? push.api_push_script : null };
  return [...own, api].flatMap(({ key, command }) => (command === null ? [] : [{ key, command }]));
}

/** `user` is who runs the script. */
export function look(key: string, file: string, user: string): Finding {
  const fault = (words: string, fix: string) => problem(`${key}: ${file} ${words}`, fix);
  if (!existsSync(file)) {
    const hidden = closedFolder(file);
    return hidden === null
      ? fault("does not exist", `Correct ${key}.`)
      : fault(
          `cannot be reached: ${user} may not enter ${hidden}`,
          `Open the folder: sudo chmod o+x ${shellWord(hidden)}`,
        );
  }
  if (!statSync(file).isFile()) return fault("is not a file", `Name the script itself in ${key}.`);
  const open = `sudo chmod a+rx ${shellWord(file)}`;
  if (!mayAccess(file, "execute")) return fault(`may not be run by ${user}`, `Make it executable: ${open}`);
  if (!mayAccess(file, "read")) return fault(`may not be read by ${user}`, `Make it readable: ${open}`);
  const [first = ""] = readFileSync(file, "latin1").slice(0, 256).split("\n");
  if (first.endsWith("\r") && first.startsWith("#!"))
    return fault(
      "has line ends of Windows, so its interpreter is not found",
      `Convert it: sudo sed -i 's/\\r$//' ${shellWord(file)}`,
    );
  const interpreter = /^#!\s*(\S+)/.exec(first)?.[1];
  if (interpreter !== undefined && !existsSync(interpreter))
    return fault(
      `wants ${interpreter}, which is not installed`,
      `Install it, or correct the first line of ${file}.`,
    );
  // Text without a first line like that is what execve(2) refuses; a program begins with ELF's mark.
  if (interpreter === undefined && !first.startsWith("\x7fELF"))
    return fault("does not say by its first line what runs it", `Begin ${file} with #!/bin/sh or the like.`);
  return ok(`${key}: ${file} can be run`);
}

/** The first folder above the file that this user may not enter. */
export function closedFolder(file: string): string | null {
  const { dir } = path.parse(path.resolve(file));
  const folders = dir.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/") || "/");
  return folders.find((folder) => existsSync(folder) && !mayAccess(folder, "execute")) ?? null;
}
