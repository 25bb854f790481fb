// `zmes import`: takes over the settings and phones of an installed zmeventnotification.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { reasonOf } from "../lib/errors.ts";
import { escapeControls } from "../lib/log-text.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { type Import, importOriginal } from "./import/import-original.ts";
import { TARGET } from "./import/plan.ts";
import { importJson, importReport } from "./import/report.ts";
import { Abandoned, terminalQuestions } from "./setup/questions.ts";
import { testPush } from "./test-push.ts";

export const importCommand: Command = {
  name: "import",
  summary: "take over the settings and phones of zmeventnotification 1.0 to 7",
  usage: "import [--apply] [--from FILE|DIR]... [OPTIONS]",
  options: [
    { flag: "--apply", text: `write ${TARGET}; without it, only what would be done is shown` },
    {
      flag: "--from FILE|DIR",
      text: "the original's file of settings, or a folder with its files; may be repeated",
    },
    { flag: "--root DIR", text: "look and write below DIR, such as a mounted disk" },
    { flag: "--force", text: `replace a ${TARGET} that is there; it is copied aside first` },
    {
      flag: "--detection",
      text: "have the built-in detector take the place of the original's detection scripts",
    },
    { flag: "--json", text: "print JSON" },
  ],
  notes: [
    "Nothing of the original is changed, so it can be started again at any time. Without --from it is looked for where versions 1.0 to 7 put it.",
    "The exit code is 0 when there is something to import, or it was written; otherwise 1.",
  ],
  async run(argv, io) {
    const options = readOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "import", options);
    const found = await importOriginal({
      root: options.root ?? "/",
      from: options.from ?? [],
      force: options.force ?? false,
      detection: options.detection ?? false,
      madeFiles: io.env.ZMES_MADE_FILES,
    });
    if (found === null) return nothingFound(options, io);
    const { unreadable } = found.plan;
    if (unreadable !== null) return refuse(unreadable, io);
    return options.apply ? await apply(found, options, io) : show(found, options, io);
  },
};

interface Options {
  readonly apply?: boolean;
  readonly from?: readonly string[];
  readonly root?: string;
  readonly force?: boolean;
  readonly detection?: boolean;
  readonly json?: boolean;
}

function readOptions(argv: readonly string[]): Options | string {
  try {
    const flag = { type: "boolean" } as const;
    const options = {
      apply: flag,
      from: { type: "string", multiple: true },
      root: { type: "string" },
      force: flag,
      detection: flag,
      json: flag,
    } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (failure) {
    return reasonOf(failure);
  }
}

function nothingFound({ from = [] }: Options, io: CommandIo): number {
  const where = from.length > 0 ? `in ${from.join(", ")}` : "in the usual places";
  io.stderr.write(
    `zmes import: no configuration of zmeventnotification was found ${where}.\n` +
      "Name the file with --from, or begin anew: zmes setup\n",
  );
  return EXIT.failed;
}

function refuse(problem: string, io: CommandIo): number {
  const way = process.getuid?.() === 0 ? "" : "Some files can be read by root alone: sudo zmes import\n";
  io.stderr.write(`zmes import: nothing was taken over.\n${problem}\n${way}`);
  return EXIT.failed;
}

function show({ plan }: Import, options: Options, io: CommandIo): number {
  if (options.json) io.stdout.write(importJson(plan, [], []));
  else {
    io.stdout.write(`${importReport(plan)}\n${detectionText(plan.detection, options)}`);
    if (existsSync(plan.places.inRoot(TARGET)) && !options.force)
      io.stdout.write(`${TARGET} is there already: --force replaces it and keeps a copy.\n`);
    if (process.getuid?.() !== 0)
      io.stdout.write("What only root can read was not seen; with sudo this may look different.\n");
    io.stdout.write(`Nothing was written. To write ${TARGET}: ${commandOf(options)}\n`);
  }
  return EXIT.ok;
}

/** The command that does what was shown. */
function commandOf({ from = [], root, force = false, detection = false }: Options): string {
  const words = [
    ...from.flatMap((place) => ["--from", place]),
    ...(root === undefined ? [] : ["--root", root]),
  ];
  return [
    "sudo zmes import --apply",
    ...words,
    ...(force ? ["--force"] : []),
    ...(detection ? ["--detection"] : []),
  ].join(" ");
}

async function apply(found: Import, options: Options, io: CommandIo): Promise<number> {
  const { plan } = found;
  const applied = await found.apply();
  if (!applied.ok) {
    io.stderr.write(`zmes import: ${applied.problem}\n`);
    return EXIT.failed;
  }
  const { written, backups } = applied;
  if (options.json) {
    io.stdout.write(importJson(plan, written, backups));
    return EXIT.ok;
  }
  const kept = backups.length === 0 ? "" : `What was there before: ${backups.join(", ")}\n`;
  io.stdout.write(`${importReport(plan)}\n${detectionText(plan.detection, options)}`);
  const done =
    written.length === 0
      ? "Nothing had to be written: it is there already"
      : `Written: ${written.join(", ")}`;
  io.stdout.write(`${done}\n${kept}`);
  io.stdout.write("Next: stop the original, then sudo zmes doctor\n");
  await offerTest(plan.phones, options, io);
  return EXIT.ok;
}

function detectionText(lines: readonly string[], { detection = false }: Options): string {
  if (!detection) return "";
  if (lines.length === 0) return "No hook is a detection script of the original.\n\n";
  return `${lines.map((line) => escapeControls(`  ${line}`.trimEnd())).join("\n")}\n\n`;
}

/** Asks on a terminal; elsewhere the command is named. */
async function offerTest(phones: number, { root = "/" }: Options, io: CommandIo): Promise<void> {
  if (phones === 0) return;
  const questions = root === "/" ? terminalQuestions(io) : null;
  try {
    if (questions !== null && (await questions.yes("Send every phone a test message now?", false))) {
      await testPush.run(["all"], io);
      return;
    }
  } catch (failure) {
    if (!(failure instanceof Abandoned)) throw failure;
  }
  io.stdout.write("A test message to every phone: sudo zmes test-push all\n");
}
