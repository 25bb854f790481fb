// Where the files of an original lie: the usual places of every version, and the folders somebody names.
import { readdirSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { isIni, parseConfigFile, readTextFile } from "../../config/config-file.ts";
import { sectionTitles } from "../../config/schema.ts";

/** Of the file of settings, newest kind first: 7, then 3 to 6, then 1.0 and 2. */
const CONFIG_FILES = [
  "/etc/zm/zmeventnotification.yml",
  "/etc/zm/zmeventnotification.ini",
  "/etc/zmeventnotification.ini",
];
/** 3.0 and later; the same as the instructions of 3.2 spell it once; 1.0 and 2. */
const TOKEN_FILES = [
  "/var/lib/zmeventnotification/push/tokens.txt",
  "/var/lib/zmeeventnotification/push/tokens.txt",
  "/etc/private/tokens.txt",
];
/** 7, 3 to 6, before. */
const OBJECT_CONFIGS = [
  "/etc/zm/objectconfig.yml",
  "/etc/zm/objectconfig.ini",
  "/var/detect/objectconfig.ini",
];
/** The module of version 7 that names address and key of the push proxy. */
const PUSH_CONSTANTS = [
  "/usr/share/perl5",
  "/usr/local/share/perl",
  "/usr/share/perl5/vendor_perl",
  "/usr/bin",
];
const CONSTANTS_FILE = "ZmEventNotification/Constants.pm";

export interface Places {
  /** What stands for "/". */
  readonly root: string;
  /** Files of settings, the best first, as they can be opened. */
  readonly configs: readonly string[];
  readonly tokens: readonly string[];
  /** Those of them that somebody named. */
  readonly namedTokens: readonly string[];
  readonly objectConfigs: readonly string[];
  /** Of version 7, with address and key of the push proxy; null where it is not installed. */
  readonly pushConstants: string | null;
  /** The file that is meant by a path in a configuration: in `root`, or of that name in a named folder; null: nowhere. */
  find(named: string): string | null;
  /** Where a file with that path is, or would be written. */
  inRoot(named: string): string;
  /** The path by which programs inside `root` know the file. */
  named(file: string): string;
}

/** The original's files of settings below `root`, best first. */
export function findOriginals(root: string): readonly string[] {
  return findPlaces(root, []).configs;
}

/** Looks in the usual places below `root`; what `from` names comes first, and leaves no other configuration. */
export function findPlaces(root: string, from: readonly string[]): Places {
  const base = path.resolve(root);
  const inRoot = (named: string): string => path.join(base, named);
  const given = from.flatMap((place) => filesIn(path.resolve(place)));
  const folders = from.map((place) =>
    isFolder(place) ? path.resolve(place) : path.dirname(path.resolve(place)),
  );
  const usual = (files: readonly string[]): string[] => files.map(inRoot).filter(isFile);
  const named = new Set(from.map((place) => path.resolve(place)));
  const ofKind = (kind: Kind): string[] => given.filter((file) => kindOf(file, named.has(file)) === kind);
  const besides = [...ofKind("tokens"), ...ofKind("objectconfig")];
  const namesConfig = given.length > besides.length || (from.length > 0 && given.length === 0);
  const configs = namesConfig ? ofKind("config").toSorted(byAge) : usual(CONFIG_FILES);
  return {
    root: base,
    configs,
    tokens: [...ofKind("tokens"), ...usual(TOKEN_FILES)],
    namedTokens: ofKind("tokens"),
    objectConfigs: [...ofKind("objectconfig"), ...usual(OBJECT_CONFIGS)],
    pushConstants: usual(PUSH_CONSTANTS.flatMap(withVersions(base)))[0] ?? null,
    find(named) {
      const beside = folders.map((folder) => path.join(folder, path.basename(named)));
      return [inRoot(named), ...beside].find(isFile) ?? null;
    },
    inRoot,
    named: (file) => (file.startsWith(`${base}/`) && base !== "/" ? file.slice(base.length) : file),
  };
}

/** True for the place where version 1.0 and 2 had their file of settings; their phones were elsewhere, too. */
export function isFirstPlace(named: string): boolean {
  return named === CONFIG_FILES.at(-1);
}

/** False as well for what may not be looked at. */
export function isFile(file: string): boolean {
  return statOf(file)?.isFile() === true;
}

type Kind = "config" | "tokens" | "objectconfig" | "other";

/** Perl's folders may carry its version in between. */
function withVersions(base: string): (folder: string) => string[] {
  return (folder) => {
    const versions = namesIn(path.join(base, folder)).filter((name) => /^[\d.]+$/.test(name));
    return ["", ...versions].map((version) => path.join(folder, version, CONSTANTS_FILE));
  };
}

/** Files of a folder, or the file itself. One that is not there stays: it is to be told. */
function filesIn(place: string): string[] {
  if (!isFolder(place)) return isFile(place) ? [place] : [];
  return namesIn(place)
    .map((name) => path.join(place, name))
    .filter(isFile);
}

function isFolder(place: string): boolean {
  return statOf(place)?.isDirectory() === true;
}

function statOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** `isNamed`: somebody named this very file, so its name says nothing about it. */
function kindOf(file: string, isNamed: boolean): Kind {
  const name = path.basename(file).toLowerCase();
  if (/^tokens\b.*\.(txt|json)$/.test(name)) return "tokens";
  if (/^objectconfig\.(ini|ya?ml)$/.test(name)) return "objectconfig";
  if (!isNamed && (!/\.(ini|ya?ml|conf)$/.test(name) || /secret|rules/.test(name))) return "other";
  const content = readTextFile(file);
  if (!content.ok) return "other";
  const { sections } = parseConfigFile(file, content.text);
  return [...sections.keys()].some((section) => sectionTitles.has(section)) ? "config" : "other";
}

/** YAML is newer than INI. */
function byAge(one: string, other: string): number {
  return Number(isIni(one, "")) - Number(isIni(other, ""));
}
