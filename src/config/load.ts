// Loads the configuration: finds the file, reads it with its secrets, lets the command line override it.
import { resolve } from "node:path";
import { type Finding, findDangers, findProblems } from "./checks.ts";
import { isIni, parseConfigFile, readTextFile } from "./config-file.ts";
import { withDetectionDefaults } from "./detection-defaults.ts";
import { type Dialect, iniDialect, isOldDialect } from "./dialect.ts";
import { keptOverrides } from "./kept-settings.ts";
import type { RawFile, Remark } from "./raw-file.ts";
import { type Override, readEntries, readOverrides, type Settings } from "./read-entries.ts";
import { resolveText } from "./resolve-text.ts";
import { type Config, configSchema, type KeyPath, knownKeys } from "./schema.ts";
import { readSecrets, type Secrets } from "./secrets.ts";

export interface LoadRequest {
  /** The file given by --config. */
  readonly path?: string | null;
  /** Of the environment, only ZMES_CONFIG is looked at: it names the file when --config does not. */
  readonly env?: { readonly ZMES_CONFIG?: string | undefined };
  /** Options of the command line that stand above the file. */
  readonly overrides?: readonly Override[];
  /** Settings changed from afar, by key, as they are kept in that data directory: above the file, below the options. */
  readonly keptIn?: (dataDirectory: string) => KeptSettings;
  /** Where a file that the configuration names is to be read instead: a disk that is mounted elsewhere, a backup. */
  readonly locate?: (file: string) => string;
  /** Where to look when no file is named; for tests. */
  readonly searchPath?: readonly string[];
}

interface KeptSettings {
  readonly settings: ReadonlyMap<string, string>;
  /** Why there are none, or not all; null when all is well. */
  readonly problem: string | null;
}

/** Where a value came from. */
export interface Origin {
  readonly from: "file" | "escontrol" | "command line";
  /** True when the value, or a part of it, must not be shown. */
  readonly secret: boolean;
}

export interface LoadedConfig {
  /** Complete even when there are problems: a bad value is then replaced by its default. */
  readonly config: Config;
  /** The file that was read; or the one that was looked for, which is absent or cannot be read. */
  readonly source: { readonly path: string; readonly read: boolean; readonly absent: boolean };
  readonly dialect: Dialect;
  /** Every key that somebody set. */
  readonly origins: ReadonlyMap<KeyPath, Origin>;
  /** Whole lines, "FILE:LINE section.key: ...". */
  readonly warnings: readonly string[];
  /** The same; with any of them the program must not start. */
  readonly problems: readonly string[];
}

/** Where the file is looked for when it is not named: our own first, then where the original had it. */
export const SEARCH_PATH: readonly string[] = [
  "/etc/zm/zmes.yml",
  "/etc/zm/zmeventnotification.yml",
  "/etc/zm/zmeventnotification.ini",
  "/etc/zmeventnotification.ini",
];

/** Loads the configuration. Never throws: everything that is wrong is in `problems`, all of it at once. */
export function loadConfig(request: LoadRequest = {}): LoadedConfig {
  const source = findSource(request);
  const secrets = openSecrets(source, request.locate);
  const references = { file: source.file, secrets, bangIsLiteral: source.dialect === "ini-1.0" };
  const fromFile = readEntries(source.file, source.dialect, references);
  const fromLine = readOverrides(request.overrides ?? []);
  const kept = readKept(build(fromFile, fromLine), request);
  const isSet = (path: KeyPath) => [fromFile, kept, fromLine].some(({ values }) => values.has(path));
  const config = withDetectionDefaults(build(fromFile, kept, fromLine), isSet);
  const found = examine(config, source, fromFile, isSet);
  const { file, path, read, absent, dialect } = source;
  const inFile = [
    ...file.problems,
    ...fromFile.problems,
    ...aboutSecrets(secrets, fromFile),
    ...found.problems,
  ];
  return {
    config,
    source: { path, read, absent },
    dialect,
    origins: originsOf(fromFile, kept, fromLine),
    warnings: [
      ...placed(source, [...file.warnings, ...fromFile.warnings, ...found.warnings]),
      ...kept.warnings.map((warning) => warning.text),
      ...(secrets?.warnings ?? []),
    ],
    problems: [
      ...source.problems,
      ...placed(source, inFile),
      ...(secrets?.problems ?? []),
      ...fromLine.problems.map((problem) => problem.text),
    ],
  };
}

interface Source {
  readonly path: string;
  readonly read: boolean;
  readonly absent: boolean;
  readonly dialect: Dialect;
  readonly file: RawFile;
  /** Why a file that is there, or was named, is not read. */
  readonly problems: readonly string[];
}

function findSource(request: LoadRequest): Source {
  const searchPath = request.searchPath ?? SEARCH_PATH;
  if (request.path) return openSource(request.path, "--config");
  if (request.env?.ZMES_CONFIG) return openSource(request.env.ZMES_CONFIG, "ZMES_CONFIG");
  for (const path of searchPath) {
    const content = readTextFile(path);
    if (content.ok || !content.absent) return openSource(path, null);
  }
  return {
    path: searchPath[0] ?? "",
    read: false,
    absent: true,
    dialect: "none",
    file: NOTHING,
    problems: [],
  };
}

function openSource(named: string, by: string | null): Source {
  const path = resolve(named);
  const content = readTextFile(path);
  if (!content.ok) {
    const problems = [`${path}: cannot read the configuration${by ? ` named by ${by}` : ""}: ${content.why}`];
    const file = { ...NOTHING, complete: false };
    return { path, read: false, absent: content.absent, dialect: "none", file, problems };
  }
  const file = parseConfigFile(path, content.text);
  const dialect = isIni(path, content.text) ? iniDialect(file) : "yaml-7";
  return { path, read: true, absent: false, dialect, file, problems: [] };
}

const NOTHING: RawFile = { entries: [], sections: new Map(), warnings: [], problems: [], complete: true };

function openSecrets({ file, path }: Source, locate?: LoadRequest["locate"]): Secrets | null {
  const entry = file.entries.find(({ section, key }) => section === "general" && key === "secrets");
  const known = knownKeys.get("general.secrets");
  if (!known || entry?.value.kind !== "text") return null;
  const named = resolveText(known, entry.value.text, { file, secrets: null, bangIsLiteral: true }).text;
  return named === "" ? null : readSecrets(named, path, locate);
}

function aboutSecrets(secrets: Secrets | null, fromFile: Settings): Remark[] {
  if (secrets === null || secrets.unreadable === null) return [];
  return [{ line: lineOf(fromFile, "general.secrets"), text: `general.secrets: ${secrets.unreadable}` }];
}

/** Only while the control interface is switched on: who switches it off is rid of what it changed. */
function readKept({ general }: Config, { keptIn }: LoadRequest): Settings {
  if (!general.use_escontrol_interface || !keptIn) return readOverrides([]);
  const kept = keptIn(general.base_data_path);
  const { overrides, warnings } = keptOverrides(kept.settings);
  const read = readOverrides(overrides);
  const problem = kept.problem === null ? [] : [{ line: 0, text: kept.problem }];
  // A value that another version took must not keep this one from starting.
  return { values: read.values, warnings: [...problem, ...warnings, ...read.problems], problems: [] };
}

function build(...layers: readonly Settings[]): Config {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const { values } of layers) {
    for (const [path, { value }] of values) {
      const known = knownKeys.get(path);
      if (!known) continue;
      tree[known.section] = { ...tree[known.section], [known.key]: value };
    }
  }
  return configSchema.parse(tree);
}

function examine(config: Config, source: Source, fromFile: Settings, isSet: (path: KeyPath) => boolean) {
  // Of a file that could not be read nothing is known, and a key whose value is wrong is not "not set".
  if (!source.file.complete) return { warnings: [], problems: [] };
  const remark = (finding: Finding): Remark => {
    return { line: lineOf(fromFile, finding.path), text: `${finding.path}: ${finding.text}` };
  };
  const off = source.dialect.startsWith("ini") ? '"enable = no"' : '"enable: no"';
  const sectionOf = (text: string) => text.slice(0, text.indexOf(".") + 1);
  const isTold = ({ path }: Finding) =>
    fromFile.problems.some(({ text }) => text.startsWith(sectionOf(path)));
  return {
    warnings: findDangers(config, isSet, isOldDialect(source.dialect)).map(remark),
    problems: findProblems(config, off)
      .filter((finding) => !isTold(finding))
      .map(remark),
  };
}

function lineOf(settings: Settings, path: KeyPath): number {
  return settings.values.get(path)?.line ?? 0;
}

function originsOf(fromFile: Settings, kept: Settings, fromLine: Settings): ReadonlyMap<KeyPath, Origin> {
  const origins = new Map<KeyPath, Origin>();
  for (const [path, { secret }] of fromFile.values) origins.set(path, { from: "file", secret });
  for (const [path, { secret }] of kept.values) origins.set(path, { from: "escontrol", secret });
  for (const [path, { secret }] of fromLine.values) origins.set(path, { from: "command line", secret });
  return origins;
}

/** The remarks as lines, in the order of the file; what has no line of its own comes last. */
function placed(source: Source, remarks: readonly Remark[]): string[] {
  const order = ({ line }: Remark) => (line === 0 ? Number.MAX_SAFE_INTEGER : line);
  return remarks
    .toSorted((a, b) => order(a) - order(b))
    .map(({ line, text }) => {
      if (line > 0) return `${source.path}:${line} ${text}`;
      return source.read ? `${source.path}: ${text}` : text;
    });
}
