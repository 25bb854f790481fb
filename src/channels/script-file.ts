// Whether a push script could be run: found out when the program starts, not with the first alarm.
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { splitCommand } from "../lib/command-line.ts";
import { AppError, reasonOf, systemCode } from "../lib/errors.ts";

/**
 * What keeps the program of this command from being run by the present user, or null. `searchPath` is the $PATH that
 * scripts are given: the system looks there for a program that is named without its folder (execvp(3)).
 */
export function scriptTrouble(command: string, searchPath: string): AppError | null {
  const [program] = splitCommand(command)?.words ?? [];
  if (program === undefined) return null;
  const isNamedWithFolder = program.includes("/");
  const folders = isNamedWithFolder ? [""] : searchPath.split(path.delimiter);
  const problems = folders.map((folder) => problemOf(path.resolve("/", folder, program)));
  if (problems.includes(null)) return null;
  const problem = isNamedWithFolder
    ? (problems[0] ?? "")
    : `neither ${folders.join(" nor ")} has a program of this name`;
  return new AppError("PUSH_SCRIPT_UNUSABLE", { path: program, problem });
}

function problemOf(file: string): string | null {
  try {
    if (!statSync(file).isFile()) return "it is not a file";
    accessSync(file, constants.X_OK);
    return null;
  } catch (failure) {
    const code = systemCode(failure);
    if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
    return code === "EACCES"
      ? "it may not be executed, or a folder above it not be entered"
      : reasonOf(failure);
  }
}
