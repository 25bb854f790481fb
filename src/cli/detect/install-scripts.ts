// `zmes detect install-scripts`: commands with the names of the original's scripts, and back again.
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseOptions } from "../../config/cli-options.ts";
import { reasonOf } from "../../lib/errors.ts";
import { type CommandIo, EXIT, refuseUsage } from "../command.ts";
import { readConfiguration } from "../configuration.ts";
import { DETECTOR_SOCKET } from "../detection.ts";
import { SCRIPTS, type ScriptName, scriptName } from "./script-arguments.ts";

export const INSTALL_VERB = "install-scripts";

/** By this a file is known to be ours. */
const MARK = "Made by `zmes detect install-scripts`";
/** What was there before. */
const KEPT = ".before-zmes";

export async function installScripts(argv: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseOptions(argv.filter((word) => word !== "--uninstall"));
  const [folder, ...names] = parsed.rest;
  const wrong = names.find((name) => scriptName(name) === null);
  if (folder === undefined) return refuseUsage(io, "detect", `${INSTALL_VERB} takes a folder.`);
  if (wrong !== undefined) return refuseUsage(io, "detect", `"${wrong}" is none of ${SCRIPTS.join(", ")}.`);
  const wanted = names.length === 0 ? SCRIPTS : SCRIPTS.filter((name) => names.includes(name));
  try {
    if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`);
    if (argv.includes("--uninstall")) uninstall(folder, wanted, io);
    else install(folder, wanted, parsed.configPath, io);
    return EXIT.ok;
  } catch (failure) {
    io.stderr.write(`zmes detect: ${reasonOf(failure)}\n`);
    return EXIT.failed;
  }
}

function install(
  folder: string,
  names: readonly ScriptName[],
  configPath: string | null,
  io: CommandIo,
): void {
  const { config } = readConfiguration({ overrides: [], configPath }, io.env);
  const socket = path.resolve(config.general.base_data_path, DETECTOR_SOCKET);
  const words = [launcher(), "detect-script", "--socket", socket];
  if (configPath !== null) words.push("--zmes-config", path.resolve(configPath));
  for (const name of names) {
    const file = path.join(folder, name);
    const isThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
    if (isThere && !isOurs(file)) keep(file, io);
    const made = `${file}.new-${process.pid}`;
    writeFileSync(made, scriptText(name, [...words, name]), { mode: 0o755 });
    renameSync(made, file);
    io.stdout.write(`${file} is in place.\n`);
  }
  const detected = config.detection.config ?? "the section detection of the configuration";
  io.stdout.write(`Without -c they look with ${detected}.\n`);
}

function keep(file: string, io: CommandIo): void {
  if (lstatSync(`${file}${KEPT}`, { throwIfNoEntry: false }) !== undefined)
    throw new Error(`${file}${KEPT} is there already: move it away first`);
  renameSync(file, `${file}${KEPT}`);
  io.stdout.write(`${file} was there before; it is kept as ${path.basename(file)}${KEPT}.\n`);
}

function uninstall(folder: string, names: readonly ScriptName[], io: CommandIo): void {
  for (const name of names) {
    const file = path.join(folder, name);
    const isThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
    if (isThere && !isOurs(file)) {
      io.stdout.write(`${file} is not from zmes and stays.\n`);
      continue;
    }
    if (lstatSync(`${file}${KEPT}`, { throwIfNoEntry: false }) !== undefined) {
      renameSync(`${file}${KEPT}`, file);
      io.stdout.write(`${file} is as it was before.\n`);
    } else if (isThere) {
      rmSync(file);
      io.stdout.write(`${file} is removed.\n`);
    }
  }
}

function isOurs(file: string): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file, "utf8").includes(MARK);
  } catch {
    return false;
  }
}

/** Two folders up from both src/cli and dist/cli; a package links it into the path, which stays when it is updated. */
function launcher(): string {
  return fileURLToPath(new URL("../../../bin/zmes", import.meta.url));
}

/** A shell script; those named .py are Python as well, for who calls them with `python3`. */
function scriptText(name: ScriptName, words: readonly string[]): string {
  const head = [`#!/bin/sh`, `# ${MARK}; with --uninstall it takes this file away again.`];
  // What this script does needs no program.
  if (name === "zm_event_end.sh") return [...head, `printf '%s\\n' "$4"`, ""].join("\n");
  const call = `exec ${words.map(quoted).join(" ")} "$@"`;
  if (!name.endsWith(".py")) return [...head, call, ""].join("\n");
  const list = JSON.stringify(words);
  return [
    ...head,
    // A shell reads an empty word and then `exec`; Python reads a text that nobody uses.
    `''':'`,
    call,
    `'''`,
    `import os, sys`,
    `os.execv(${JSON.stringify(words[0])}, ${list} + sys.argv[1:])`,
    "",
  ].join("\n");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
