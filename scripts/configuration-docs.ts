// Writes docs/configuration.md and the JSON Schema for editors from the schema of the configuration.
import { z } from "zod";
import { options } from "../src/config/cli-options.ts";
import { writeDefault } from "../src/config/example.ts";
import { SEARCH_PATH } from "../src/config/load.ts";
import { oldHomes } from "../src/config/old-homes.ts";
import { configSchema, type KnownKey, knownKeys, sectionTitles } from "../src/config/schema.ts";

/** docs/configuration.md */
export function configurationPage(): string {
  const sections = [...sectionTitles].flatMap(([section, title]) => [
    `## ${section}`,
    "",
    title,
    "",
    "| Key | Default | Since | Meaning |",
    "|---|---|---|---|",
    ...[...knownKeys.values()].filter((known) => known.section === section).map(keyRow),
    "",
  ]);
  return `${[...INTRODUCTION, ...sections, ...changes(), ...oldNames(), ...commandLine()].join("\n")}\n`;
}

/**
 * docs/zmes.schema.json. Files may write what the schema's own types do not say: yes and no, lists with commas,
 * and a secret or a template in place of any value.
 */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    target: "draft-7",
    io: "input",
    override: ({ zodSchema, jsonSchema: json }) => {
      const known = bySchema.get(zodSchema);
      if (known) Object.assign(json, widened(known, { ...json }));
    },
  });
  const title = "Configuration of zmes (zmes.yml, zmeventnotification.yml)";
  return `${shortListsInline(JSON.stringify({ title, ...schema }, null, 2))}\n`;
}

const bySchema = new Map<unknown, KnownKey>([...knownKeys.values()].map((known) => [known.schema, known]));

type Json = Record<string, unknown>;

function widened(known: KnownKey, { description, default: fallback, ...type }: Json): Json {
  // Object.assign keeps what is not named, so that the type's own words are taken out by name.
  const cleared = Object.fromEntries(Object.keys(type).map((key) => [key, undefined]));
  const forms =
    known.kind === "flag" ? [{ type: "boolean" }, { enum: ["yes", "no", "on", "off", 0, 1] }] : [type];
  const isText = known.kind === "text" || known.kind === "file" || known.kind === "url";
  const written = known.kind === "numbers" || known.kind === "texts" ? {} : { pattern: REFERENCE };
  const text = isText ? [] : [{ type: "string", ...written }];
  const nothing = known.fallback === null ? [] : [{ type: "null" }];
  const status = known.status === "used" ? "" : ` (${known.status}: ${known.reason})`;
  return {
    ...cleared,
    description: `${description}${status}`,
    default: fallback,
    anyOf: [...forms, ...text, ...nothing],
  };
}

/** As the formatter has it: a list of plain values in one line where it fits. */
function shortListsInline(json: string): string {
  return json.replace(/\[\n\s*(("[^"\n]*"|\d+),?\n\s*)+\]/g, (list) => {
    const items = list
      .slice(1, -1)
      .split("\n")
      .map((line) => line.trim());
    return `[${items.join(" ").trim()}]`;
  });
}

// !NAME, ${name} or {{name}}
const REFERENCE = "^!|\\$\\{\\w+\\}|\\{\\{\\s*\\w+\\s*\\}\\}";

const INTRODUCTION = [
  "<!-- Written by `npm run docs` from src/config/; change it there. -->",
  "",
  "# Configuration",
  "",
  "zmes reads one file. Unless `--config FILE` or the environment variable `ZMES_CONFIG` names it, the first of",
  "these that exists is taken; with none of them the defaults hold:",
  "",
  ...SEARCH_PATH.map((path, index) => `${index + 1}. \`${path}\``),
  "",
  "The files of zmeventnotification 1.0 to 7 are read as they are. `zmes example-config` prints a complete file with",
  "comments, and `zmes check-config` (or `zmes --check-config`) shows what is understood, names everything that is",
  "wrong with file, line and key, and exits with 0 when the server can start, otherwise with 2. For completion in",
  "editors there is a JSON Schema, [zmes.schema.json](zmes.schema.json).",
  "",
  "The command line stands above what was changed by escontrol (see [protocol.md](protocol.md)), that above the file,",
  "and the file above the defaults.",
  "",
  "## How values are written",
  "",
  "* **Yes and no:** `yes`, `true`, `on`, `1` and `no`, `false`, `off`, `0`, in any case; empty means no. Older versions",
  "  read some of these differently (up to 3.2 only `0` was no; up to 6 `false` and `off` were yes); where that",
  "  matters, a warning says so.",
  "* **Lists:** `1,2,5`, in YAML also `[1, 2, 5]`.",
  "* **Secrets:** a value written as `!NAME` is looked up in the file that `general.secrets` names: an INI with a",
  "  section `[secrets]`, or YAML with a mapping `secrets:`. Secrets are never printed.",
  "* **Templates:** `$" +
    "{name}` and `{{name}}` stand for the value of `name` in `general` or in the same section.",
  "* **INI:** comments stand on lines of their own, beginning with `#` or `;`; whatever follows a value is part of it,",
  "  and so are quotes. Of a key that is given twice in a section the first one counts.",
  "* **Not set:** an empty value is the same as none.",
  "",
  "A wrong value is an error and stops the start. An unknown key is a warning that names the nearest known one.",
  "",
];

function keyRow(known: KnownKey): string {
  const written = writeDefault(known);
  const fallback = written === "" ? "not set" : `\`${written}\``;
  const status = known.status === "used" ? "" : ` *${capitalised(known.status)}: ${known.reason}.*`;
  const cells = [
    `\`${known.key}\``,
    fallback,
    known.since === "8" ? "8.0" : known.since,
    `${known.about}${status}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** What need not wait for a restart, and what cannot be changed from afar. */
function changes(): string[] {
  const live = [...knownKeys.values()].filter((known) => known.live);
  const open = [...knownKeys.values()].filter(({ guarded, status }) => guarded === null && status === "used");
  return [
    "## Changes while the server runs",
    "",
    "The file, and the one with the secrets, are read again when they change and on `SIGHUP`. A file with an error in it",
    "changes nothing, and the log says what is wrong. These keys are taken up at once, without dropping a client; of the",
    "others the log says that they wait for a restart (of the program, or by the command `restart` of escontrol):",
    "",
    ...bySection(live),
    "",
    "These may be changed by the command `edit` of escontrol. All others name programs, files, hosts, secrets or users, or",
    "decide who is let in, and are changed in the file only:",
    "",
    ...bySection(open),
    "",
  ];
}

function bySection(keys: readonly KnownKey[]): string[] {
  const sections = Map.groupBy(keys, ({ section }) => section);
  return [...sections].map(
    ([section, its]) => `* ${section}: ${its.map(({ key }) => `\`${key}\``).join(", ")}`,
  );
}

function oldNames(): string[] {
  return [
    "## Old names",
    "",
    "These are still read, with a warning:",
    "",
    "| Old | Now |",
    "|---|---|",
    ...[...oldHomes].map(([old, now]) => `| \`${old}\` | \`${now}\` |`),
    "",
  ];
}

function commandLine(): string[] {
  return [
    "## Command line",
    "",
    "The options of 1.0 and 3.2, by the same rules: one or two dashes, any case, unique abbreviations, `--port=9001` or",
    "`--port 9001`, `--no-verbose` or `--noverbose`. What is not understood is named on stderr and ignored.",
    "",
    "| Option | Stands above | Meaning |",
    "|---|---|---|",
    ...options.map(({ name, value, path, about }) => {
      const sign = value === null && path !== null ? "--[no-]" : "--";
      const spelled = `${sign}${name}${value === null ? "" : `=${value}`}`;
      return `| \`${spelled}\` | ${path === null ? "" : `\`${path}\``} | ${capitalised(about)}. |`;
    }),
  ];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
