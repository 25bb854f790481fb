// `zmes models`: adds models to the detector's folder, tries them, lists and removes them.

import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseOptions } from "../config/cli-options.ts";
import type { Config } from "../config/schema.ts";
import { planSources, type SourcePlan } from "../detect/models/sources.ts";
import {
  createModelStore,
  fingerprint,
  type ListedModel,
  type ModelStore,
  type StoredFile,
} from "../detect/models/store.ts";
import { type Trial, tryModel } from "../detect/models/trial.ts";
import type { DarknetSettings, OnnxSettings } from "../domain/detect-settings.ts";
import { reasonOf, systemCode } from "../lib/errors.ts";
import { becomeUser } from "../lib/privileges.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";
import { absentDataFolder } from "./data-folder.ts";
import { printable } from "./listen/texts.ts";
import { type ModelsOptions, parseModelsOptions } from "./models/options.ts";
import { megabytes } from "./models/progress.ts";
import { type ModelSource, openSource } from "./models/sources.ts";

export const models: Command = {
  name: "models",
  summary: "add, try, list or remove models of the built-in detector",
  usage: "models [list | add FILE|URL... | check FILE|NAME... | remove NAME] [OPTIONS]",
  options: [
    { flag: "--sha256 HEX", text: "the checksum that the model's file must have" },
    { flag: "--layout NAME", text: "the layout of a model that cannot be told from its file" },
    ...configOptions.filter(({ flag }) => flag.startsWith("--config ")),
  ],
  notes: [
    "Examples: `sudo zmes models add yolo11n.onnx`, `sudo zmes models remove yolo11n.onnx`.",
    "`add` takes an .onnx file, or .cfg and .weights of Darknet; with either, a file of labels (.names or .txt, one label per line). It tries the model before it keeps it, in the folder models of the data directory. `check` only tries it.",
    "A download that was interrupted goes on when the same command is given again. Addresses must be https; http is for the local network, or with --sha256.",
  ],
  async run(argv, io) {
    const options = parseModelsOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "models", options);
    const parsed = parseOptions([...options.rest]);
    for (const warning of parsed.warnings) io.stderr.write(`zmes: ${warning}\n`);
    const { config } = readConfiguration(parsed, io.env);
    const sources: ModelSource[] = [];
    try {
      // A file may be readable for root alone: it is opened before root's rights are given up.
      if (options.verb === "add")
        for (const word of options.words) sources.push(openSource(word, options.sha256 !== null, io));
      becomeOwner(config);
      const store = createModelStore(path.join(config.general.base_data_path, "models"));
      return await act({ options, config, store, sources, io });
    } catch (failure) {
      return failed(io, config, failure);
    } finally {
      for (const source of sources) source.close();
    }
  },
};

interface Work {
  readonly options: ModelsOptions;
  readonly config: Config;
  readonly store: ModelStore;
  readonly sources: readonly ModelSource[];
  readonly io: CommandIo;
}

function becomeOwner(config: Config): void {
  const zoneminder = readZmConf(config.zoneminder.config);
  const values = zoneminder.ok ? zoneminder.conf.values : new Map<string, string>();
  becomeUser(values.get("ZM_WEB_USER"), values.get("ZM_WEB_GROUP"));
}

function act(work: Work): Promise<number> {
  switch (work.options.verb) {
    case "list":
      return list(work);
    case "add":
      return add(work);
    case "check":
      return check(work);
    case "remove":
      return remove(work);
  }
}

async function list({ store, io }: Work): Promise<number> {
  const { models: found, problem } = await store.list();
  if (problem !== null) io.stderr.write(`zmes models: ${printable(problem)}\n`);
  if (found.length === 0) {
    io.stdout.write(`There are no models in ${store.folder}. Add one: zmes models add FILE|URL\n`);
    return EXIT.ok;
  }
  const width = Math.max(...found.map(({ name }) => name.length));
  for (const model of found) io.stdout.write(`${printable(rowOf(model, width))}\n`);
  return EXIT.ok;
}

function rowOf({ name, bytes, stored }: ListedModel, width: number): string {
  const head = `${name.padEnd(width)}  ${megabytes(bytes).padStart(9)}`;
  if (stored === null) return `${head}  put here by hand; zmes models check ${name} tries it`;
  const noted = stored.files.find((file) => file.name === name);
  const change = noted?.bytes === bytes ? "" : "; CHANGED since it was added";
  return `${head}  ${stored.description}; added ${stored.added.slice(0, 10)} from ${stored.source}${change}`;
}

async function add(work: Work): Promise<number> {
  const plan = planSources(work.sources.map(({ name }) => name));
  if (typeof plan === "string") return refuseUsage(work.io, "models", plan);
  const lock = await work.store.lock();
  try {
    return await addPlanned(plan, work);
  } finally {
    lock.release();
  }
}

async function addPlanned(plan: SourcePlan, { options, config, store, sources, io }: Work): Promise<number> {
  const { models: there } = await store.list();
  if (there.some(({ name }) => name === plan.name)) {
    throw new Error(`${plan.name} is there already. To replace it, first: zmes models remove ${plan.name}`);
  }
  for (const { name } of plan.files) {
    const other = there.find(({ stored }) => stored?.files.some((file) => file.name === name));
    if (other === undefined) continue;
    throw new Error(`${name} belongs to ${other.name} already. Give your files another name, then add them`);
  }
  const signal = io.stopSignal();
  const files: StoredFile[] = [];
  const partOf = (name: string) => store.partPath(name);
  try {
    for (const { source, name } of plan.files) await sources[source]?.fetchTo(partOf(name), signal);
    for (const { name } of plan.files) files.push({ name, ...(await fingerprint(partOf(name))) });
    checkSum(options, plan.name, files);
    const shownAs = (text: string) =>
      plan.files.reduce((all, { name }) => all.replaceAll(partOf(name), name), text);
    io.stderr.write(`Trying ${plan.name} ...\n`);
    const job = { settings: settingsFor(plan, partOf, options, config), threads: threadsOf(config) };
    const trial = await tryModel(job, { signal }).catch((failure: unknown) => {
      throw new Error(shownAs(reasonOf(failure)), { cause: failure });
    });
    const source = sources[plan.files[0]?.source ?? 0]?.shown ?? "";
    const added = new Date(io.clock.now()).toISOString();
    await store.keep({ name: plan.name, files, source, added, description: trial.description });
    tell(io, plan.name, trial, files);
    tellUse(io, store, plan, options);
    return EXIT.ok;
  } catch (failure) {
    // What has come of an interrupted download stays; a whole file that is of no use does not.
    if (files.length > 0) for (const { name } of plan.files) await rm(partOf(name), { force: true });
    throw failure;
  }
}

function checkSum({ sha256 }: ModelsOptions, name: string, files: readonly StoredFile[]): void {
  const found = files.find((file) => file.name === name)?.sha256;
  if (sha256 !== null && sha256 !== found) {
    throw new Error(`${name} is not the file that was meant: its checksum is ${found}, not ${sha256}`);
  }
}

/** The model's own files are tried under their names; a name in the folder of models is enough. */
async function check({ options, config, store, io }: Work): Promise<number> {
  const plan = planSources(options.words.map((word) => path.basename(word)));
  const [first = ""] = options.words;
  const { models: there } = await store.list();
  const known = there.find(({ name }) => name === first);
  const signal = io.stopSignal();
  const threads = threadsOf(config);
  if (known !== undefined && options.words.length === 1) {
    const files = known.stored?.files ?? [];
    for (const { name, sha256 } of files) {
      const now = await fingerprint(store.path(name));
      if (now.sha256 !== sha256) io.stderr.write(`zmes models: ${name} has changed since it was added.\n`);
    }
    const own = planSources(files.length > 0 ? files.map(({ name }) => name) : [first]);
    if (typeof own === "string") throw new Error(own);
    const settings = settingsFor(own, store.path, options, config);
    tell(io, first, await tryModel({ settings, threads }, { signal }), files);
    return EXIT.ok;
  }
  if (typeof plan === "string") return refuseUsage(io, "models", plan);
  const pathOf = (wanted: string) => {
    const source = plan.files.find(({ name }) => name === wanted)?.source ?? 0;
    return path.resolve(options.words[source] ?? "");
  };
  const sha = { name: plan.name, ...(await fingerprint(pathOf(plan.name))) };
  checkSum(options, plan.name, [sha]);
  const settings = settingsFor(plan, pathOf, options, config);
  tell(io, plan.name, await tryModel({ settings, threads }, { signal }), [sha]);
  return EXIT.ok;
}

async function remove({ options, store, io }: Work): Promise<number> {
  const [name = ""] = options.words;
  const lock = await store.lock();
  try {
    if (await store.remove(name)) {
      io.stdout.write(`${printable(name)} is removed.\n`);
      return EXIT.ok;
    }
  } finally {
    lock.release();
  }
  throw new Error(`there is no model ${name} in ${store.folder}; \`zmes models\` lists those that are`);
}

function settingsFor(
  plan: SourcePlan,
  pathOf: (name: string) => string,
  { layout }: ModelsOptions,
  { detection: { processor } }: Config,
): OnnxSettings | DarknetSettings {
  const fileOf = (role: string) => {
    const file = plan.files.find((each) => each.role === role);
    return file === undefined ? null : pathOf(file.name);
  };
  const [weights, labels] = [fileOf("weights") ?? "", fileOf("labels")];
  return plan.kind === "onnx"
    ? { kind: "onnx", weights, labels, layout, inputSize: null, processor }
    : { kind: "darknet", config: fileOf("config") ?? "", weights, labels, processor };
}

/** As the detector has them: "auto" is half of the cores, at most 2. */
function threadsOf({ detection: { threads } }: Config): number {
  return typeof threads === "number"
    ? threads
    : Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
}

/** More would fill the screen. */
const SHOWN_LABELS = 10;

function tell(io: CommandIo, name: string, trial: Trial, files: readonly StoredFile[]): void {
  const { description, labels, loadMs, pictureMs, remarks } = trial;
  const more = labels === null ? 0 : labels.length - SHOWN_LABELS;
  const shown = labels?.slice(0, SHOWN_LABELS).join(", ") ?? "not named: give a file of labels as well";
  const lines = [
    `${name}: ${description}`,
    `Labels: ${shown}${more > 0 ? ` and ${more} more` : ""}`,
    `Speed: ${Math.round(pictureMs)} ms for a picture of 1920x1080, loaded in ${Math.round(loadMs)} ms`,
    ...files.filter((file) => file.name === name).map(({ sha256 }) => `SHA-256: ${sha256}`),
    ...remarks.map((remark) => `Note: ${remark}`),
  ];
  io.stdout.write(`${lines.map(printable).join("\n")}\n`);
}

function tellUse(io: CommandIo, store: ModelStore, plan: SourcePlan, { layout }: ModelsOptions): void {
  const labels = plan.files.find(({ role }) => role === "labels");
  const keys = [
    `model: ${plan.name}`,
    ...(layout === null ? [] : [`model_layout: ${layout}`]),
    ...(labels === undefined ? [] : [`labels: ${store.path(labels.name)}`]),
  ];
  io.stdout.write(`It is kept in ${store.folder}. To use it, under detection: ${keys.join(", ")}\n`);
}

function failed(io: CommandIo, { general, zoneminder }: Config, failure: unknown): number {
  const isDenied = systemCode(failure) === "EACCES";
  const read = readZmConf(zoneminder.config);
  const webUser = read.ok ? read.conf.values.get("ZM_WEB_USER") : undefined;
  const absent = isDenied ? absentDataFolder(general.base_data_path, webUser) : null;
  const denied = isDenied && absent === null ? " (files are read as the web server's user)" : "";
  const text = printable(absent ?? reasonOf(failure));
  // A command to copy has no full stop behind it.
  const stop = absent !== null || /[.!?]$/.test(text + denied) ? "" : ".";
  io.stderr.write(`zmes models: ${text}${denied}${stop}\n`);
  return EXIT.failed;
}
