// Writes a complete configuration file with comments, in which every setting stands at its default.
import { type KnownKey, knownKeys, sectionTitles } from "./schema.ts";

/** YAML in which nothing is set: every key is a comment until its "#" is taken away. */
export function exampleConfig(): string {
  const sections = [...sectionTitles].flatMap(([section, title]) => [
    "",
    `# ${title}`,
    `${section}:`,
    ...[...knownKeys.values()].filter((known) => known.section === section).flatMap(describeKey),
  ]);
  return `${[...PREFACE, ...sections].join("\n")}\n`;
}

/** A default as YAML; empty when nothing is set. */
export function writeDefault({ kind, fallback }: KnownKey): string {
  if (fallback === null) return "";
  if (typeof fallback === "boolean") return fallback ? "yes" : "no";
  if (Array.isArray(fallback)) return `[${fallback.join(", ")}]`;
  // Only quoted texts are safe whatever is in them; plain words and paths read better without.
  const text = String(fallback);
  return kind === "number" || /^[/\w][/\w.-]*$/.test(text) ? text : JSON.stringify(text);
}

const PREFACE = [
  "# Configuration of zmes, the notification server for ZoneMinder.",
  "#",
  "# Every setting below shows its default. To change one, take away the # before it (the blanks stay) and write",
  "# your value. `zmes check-config` shows what is understood.",
  "#",
  "# Secrets belong into a file of their own, named by general.secrets; a value is then written as !NAME.",
];

function describeKey(known: KnownKey): string[] {
  if (known.status === "no longer needed") return [];
  const later = known.status === "not used yet" ? ` (Not used yet: ${known.reason}.)` : "";
  const example = known.example === null ? "" : ` Example: ${known.example}`;
  return [
    ...wrapped(`${known.about}${later}${example}`).map((line) => `  # ${line}`),
    `  #${known.key}: ${writeDefault(known)}`.trimEnd(),
  ];
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length + 1 > 100) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
