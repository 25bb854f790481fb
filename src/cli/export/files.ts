// The files of an export: settings, secrets, rules and phones, as version 6 or 7 of the original reads them.
import path from "node:path";
import { parse } from "yaml";
import { type FileText, readTextFile } from "../../config/config-file.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { readRules } from "../../config/rules-file.ts";
import { sectionTitles } from "../../config/schema.ts";
import type { AnyRule } from "../../domain/rules.ts";
import { listText } from "../../store/device-entry.ts";
import { formatToken, formatTokenFile, parseTokenFile, type TokenEntry } from "../../store/token-file.ts";
import { type ExportedSetting, exportSettings, type Lost, type Target } from "./settings.ts";

interface ExportedFile {
  readonly name: string;
  readonly text: string;
}

export interface Export {
  /** The settings first. */
  readonly files: readonly ExportedFile[];
  readonly lost: readonly Lost[];
}

export interface ExportRequest {
  readonly target: Target;
  /** Where the files will be; the settings name the others by their whole path. */
  readonly folder: string;
  /** The token file. */
  readonly phones: FileText;
}

/** Only reads. */
export function makeExport(loaded: LoadedConfig, { target, folder, phones: tokens }: ExportRequest): Export {
  const rules = exportRules(loaded.config.customize.es_rules, target);
  const phones = exportPhones(loaded.config.fcm.token_file, tokens);
  const inFolder = (name: string): string => path.join(folder, name);
  const rulesFile = rules.file === null ? null : inFolder(rules.file.name);
  const ending = target === 7 ? "yml" : "ini";
  const replaced = new Map([
    ["customize.es_rules", rulesFile],
    ["general.secrets", inFolder(`secrets.${ending}`)],
  ]);
  const { settings, secrets, lost } = exportSettings(loaded, target, replaced);
  const write = target === 7 ? yamlSections : iniSections;
  const kept = secrets.size > 0 ? settings : settings.filter(({ key }) => key !== "secrets");
  const texts = [...secrets].map(([key, value]) => ({ section: "secrets", key, value, isText: true }));
  return {
    files: [
      { name: `zmeventnotification.${ending}`, text: write(kept, target) },
      ...(secrets.size > 0 ? [{ name: `secrets.${ending}`, text: write(texts, target) }] : []),
      ...(rules.file === null ? [] : [rules.file]),
      ...phones.files,
    ],
    lost: [...lost, ...rules.lost, ...phones.lost],
  };
}

function yamlSections(settings: readonly ExportedSetting[], target: Target): string {
  const line = ({ key, value, isText }: ExportedSetting): string =>
    `  ${key}: ${isText ? JSON.stringify(value) : value}`;
  return sectioned(settings, target, (section) => `${section}:`, line);
}

function iniSections(settings: readonly ExportedSetting[], target: Target): string {
  return sectioned(
    settings,
    target,
    (section) => `[${section}]`,
    ({ key, value }) => `${key} = ${value}`,
  );
}

function sectioned(
  settings: readonly ExportedSetting[],
  target: Target,
  head: (section: string) => string,
  line: (setting: ExportedSetting) => string,
): string {
  const blocks = [...sectionTitles.keys(), "secrets"].flatMap((section) => {
    const own = settings.filter((setting) => setting.section === section);
    return own.length === 0 ? [] : [[head(section), ...own.map(line)].join("\n")];
  });
  return `# For zmeventnotification ${target}; written by \`zmes export\`.\n\n${blocks.join("\n\n")}\n`;
}

interface Part {
  readonly file: ExportedFile | null;
  readonly lost: readonly Lost[];
}

/** JSON is YAML as well; version 6 takes nothing but JSON. */
function exportRules(file: string | null, target: Target): Part {
  if (file === null) return { file: null, lost: [] };
  const content = readTextFile(file);
  const text = content.ok ? content.text : "";
  const { rules, problems } = readRules(text);
  const [broken] = problems.map(({ line, text: problem }) => `line ${line}: ${problem}`);
  const why = content.ok ? broken : `it cannot be read: ${content.why}`;
  if (why !== undefined) return { file: null, lost: [{ what: file, why }] };
  const lost = lostRules(rules).map((why) => ({ what: file, why }));
  if (target === 7) return { file: { name: "es_rules.yml", text }, lost };
  return { file: { name: "es_rules.json", text: `${JSON.stringify(parse(text), null, 2)}\n` }, lost };
}

function lostRules(rules: ReturnType<typeof readRules>["rules"]): string[] {
  const own = [...rules.monitors.values()].flat();
  const count = (test: (rule: Exclude<AnyRule, { effect: "unreadable" }>) => boolean): number =>
    own.filter((rule) => rule.effect !== "unreadable" && test(rule)).length;
  const elsewhere = rules.all.length + [...rules.groups.values()].flat().length;
  const found: readonly (readonly [number, string])[] = [
    [elsewhere, "rules for all monitors or for groups: it knows rules for single monitors only"],
    [count(({ window }) => window === null), "rules without times hold there from 00:00 to 00:01 only"],
    [
      count(({ window }) => window !== null && window.from > window.to),
      "rules over midnight hold there after midnight only",
    ],
    [
      count(({ window }) => window !== null && window.fields[0] !== "hour"),
      "rules with dates: it compares the time of day",
    ],
    [count(({ effect }) => effect === "tell"), "rules with the action notify, or without action"],
    [
      count((rule) => rule.channels !== null || rule.devices !== null),
      "rules for some channels or devices hold there for all",
    ],
    [count(({ cooldown }) => cooldown > 0), "rules with cooldown"],
  ];
  return found.flatMap(([number, why]) => (number === 0 ? [] : [`${number} ${why}`]));
}

function exportPhones(
  file: string,
  content: FileText,
): {
  readonly files: readonly ExportedFile[];
  readonly lost: readonly Lost[];
} {
  if (!content.ok) {
    if (content.absent) return { files: [], lost: [] };
    return { files: [], lost: [{ what: file, why: `it cannot be read: ${content.why}` }] };
  }
  const read = parseTokenFile(content.text);
  if (read.format === "damaged") return { files: [], lost: [{ what: file, why: read.problem }] };
  if (read.entries.size === 0) return { files: [], lost: [] };
  const tokens = [...read.entries].map(([token, { zmes: _ours, ...entry }]) => formatToken(token, entry));
  const lines = [...read.entries].map(([token, entry]) => `${colonLine(token, entry)}\n`);
  const owned = [...read.entries.values()].filter(({ zmes }) => isOwned(zmes)).length;
  return {
    files: [
      { name: "tokens.txt", text: formatTokenFile(tokens, read.rest) },
      { name: "tokens-before-6.txt", text: lines.join("") },
    ],
    lost: owned === 0 ? [] : [{ what: `${owned} phones`, why: NO_OWNERS }],
  };
}

const NO_OWNERS =
  "it knows no owners: each is told of every camera on its list, whatever ZoneMinder lets its user see";

function isOwned(zmes: unknown): boolean {
  return typeof zmes === "object" && zmes !== null && "owner" in zmes;
}

/** Versions 1.0 to 5 split it from the right; -1 and 0 are no camera to them, and a pause alone is one for all. */
function colonLine(token: string, { monlist, intlist, platform, pushstate }: TokenEntry): string {
  const textOf = (field: unknown): string =>
    typeof field === "string" || typeof field === "number" ? String(field).replace(/[:\s]/g, "") : "";
  const monitors = listText(textOf(monlist));
  const intervals = monitors === "" ? "" : listText(textOf(intlist));
  return [token, monitors, intervals, textOf(platform), textOf(pushstate)].join(":");
}
