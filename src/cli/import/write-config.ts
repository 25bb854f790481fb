// Writes settings as zmes.yml and as a file of secrets.
import { knownKeys, sectionTitles } from "../../config/schema.ts";
import type { Setting } from "./settings.ts";
import type { Row } from "./survey.ts";

export interface ConfigParts {
  /** The original's file, and of which versions its form is. */
  readonly source: string;
  readonly versions: string;
  readonly settings: readonly Setting[];
  readonly unused: readonly Row[];
  /** Lines for the end of the file. */
  readonly notes: readonly string[];
}

/** YAML. A comment stands at each value that changed its meaning, and what is not used is named. */
export function importedConfig({ source, versions, settings, unused, notes }: ConfigParts): string {
  const sections = [...sectionTitles].flatMap(([section, title]) => {
    const keys = [...knownKeys.values()].filter((known) => known.section === section);
    const lines = keys.flatMap(({ path, key }) => {
      const setting = settings.find((each) => each.path === path);
      if (setting === undefined || setting.value === null) return [];
      return [...comment(setting.row.why, "  "), `  ${key}: ${yamlValue(setting.value)}`];
    });
    const left = unused
      .filter(({ what }) => what.startsWith(`${section}.`))
      .flatMap(({ what, why }) => comment(`not used: ${what.slice(section.length + 1)}: ${why}`, "  "));
    return lines.length + left.length === 0 ? [] : ["", `# ${title}`, `${section}:`, ...lines, ...left];
  });
  const head = [
    ...comment(
      `Configuration of zmes, the notification server for ZoneMinder. \`zmes import\` made it from ${source} (the form of version ${versions}), which is as it was.`,
      "",
    ),
    ...comment("`zmes example-config` shows every setting, `zmes check-config` what is understood.", ""),
  ];
  const tail = notes.length === 0 ? [] : ["", ...notes];
  return `${[...head, ...sections, ...tail].join("\n")}\n`;
}

/** YAML with the mapping that general.secrets wants. */
export function secretsFile(secrets: ReadonlyMap<string, string>, of: string): string {
  const lines = [...secrets].map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return [`# Secrets of zmes; ${of} names them as "!NAME".`, "secrets:", ...lines, ""].join("\n");
}

/** A value as YAML that is read back as the same text, number, list or truth value. */
export function yamlValue(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value))
    return `[${value.map((item) => (typeof item === "number" ? String(item) : word(String(item)))).join(", ")}]`;
  return word(String(value));
}

/** Only quoted texts are safe whatever is in them; paths and lower-case words read better without. */
function word(text: string): string {
  const isPlain = /^\/[\w/.-]*$/.test(text) || (/^[a-z][a-z_]*$/.test(text) && text !== "null");
  return isPlain ? text : JSON.stringify(text);
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const part of text === "" ? [] : text.replace(/\s+/g, " ").split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + part.length + 1 > COLUMNS) lines.push(part);
    else lines[lines.length - 1] = `${line} ${part}`;
  }
  return lines.map((line) => `${indent}# ${line}`);
}

const COLUMNS = 100;
