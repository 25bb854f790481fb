// What of the original's rules means something else here, and which alarms they mute that it told.
import { isMap, parseDocument } from "yaml";
import { readTextFile } from "../../config/config-file.ts";
import type { Dialect } from "../../config/dialect.ts";
import { loadRules } from "../../config/rules-file.ts";
import type { Config } from "../../config/schema.ts";
import type { AnyRule } from "../../domain/rules.ts";
import type { Loss } from "./loss.ts";
import type { Places } from "./places.ts";
import type { Row } from "./survey.ts";

export interface RulesFindings {
  readonly rows: readonly Row[];
  /** Alarms that are muted now. */
  readonly losses: readonly Loss[];
}

/** The file is used where it lies. Never throws. */
export function lookAtRules({ customize }: Config, dialect: Dialect, places: Places): RulesFindings {
  const file = customize.es_rules === null ? null : places.find(customize.es_rules);
  if (file === null) return { rows: [], losses: [] };
  const { rules, count, warnings, problems } = loadRules(file);
  const all = [...rules.monitors.values(), ...rules.groups.values(), rules.all].flat();
  const where = places.named(file);
  const unread = problems.length === 0 ? unreadByOriginal(file, dialect) : null;
  const changes = unread === null ? CHANGES.flatMap((change) => changeOf(change, all, where)) : [];
  const whys = unread === null ? changes.map(({ why }) => why) : [`${unread}, and had none of them`];
  const summary: Row = {
    outcome: whys.length > 0 ? "changed" : "taken",
    what: `rules (${count})`,
    where,
    why: whys.join("; "),
  };
  const remarks = [...problems, ...warnings].map((line): Row => {
    const [, at = "", why = line] = /^(.*?:\d+) ([\s\S]*)$/.exec(line) ?? [];
    return { outcome: "not used", what: "rules", where: at === "" ? where : places.named(at), why };
  });
  const muting = all.filter(({ effect }) => effect === "mute").length;
  const allMute: Loss[] =
    unread === null || muting === 0
      ? []
      : [{ what: `${unread}: ${rulesIn(muting)} in it mute from now on`, restore: "customize.es_rules: ~" }];
  return { rows: [summary, ...remarks], losses: [...allMute, ...changes.flatMap(({ losses }) => losses)] };
}

/** A sentence without its end; null where the original read the file. */
function unreadByOriginal(file: string, dialect: Dialect): string | null {
  const content = readTextFile(file);
  if (!content.ok) return null;
  if (dialect === "yaml-7")
    return isYaml(content.text) ? null : "Version 7 could not read the file of rules (it is not quite YAML)";
  try {
    JSON.parse(content.text);
    return null;
  } catch {
    return "Version 6 could not read the file of rules (it is not quite JSON)";
  }
}

/** A comment of JavaScript makes one long text of what comes after it. */
function isYaml(text: string): boolean {
  const { errors, contents } = parseDocument(text, { logLevel: "silent" });
  return errors.length === 0 && isMap(contents);
}

interface Change {
  readonly concerns: (rule: AnyRule) => boolean;
  readonly why: string;
  /** Of a rule that mutes, and the line in it that gives it its old meaning. */
  readonly muted: string;
  readonly line: string;
}

/** Version 6.1.29 and 7.0.19. */
const CHANGES: readonly Change[] = [
  {
    concerns: (rule) =>
      rule.effect !== "unreadable" &&
      rule.window !== null &&
      rule.window.fields[0] === "hour" &&
      rule.window.from > rule.window.to,
    why: "over midnight now hold before midnight as well; the original forgot the evening",
    muted: "mute before midnight as well; the original muted after it only",
    line: 'from: "00:00"',
  },
  {
    concerns: (rule) => rule.effect !== "unreadable" && rule.window === null,
    why: "without times now hold all day; with the original only at 00:00",
    muted: "have no times and mute all day; the original muted at 00:00 only",
    line: 'from: "00:00", to: "00:00"',
  },
];

function changeOf({ concerns, why, muted, line }: Change, all: readonly AnyRule[], where: string) {
  const changed = all.filter(concerns);
  if (changed.length === 0) return [];
  const names = changed.filter(({ effect }) => effect === "mute").map(({ name }) => name);
  const losses: Loss[] =
    names.length === 0
      ? []
      : [
          {
            what: `${rulesIn(names.length)} ${muted}`,
            restore: `${line} (in ${where}: ${names.join("; ")})`,
          },
        ];
  return [{ why: `${changed.length} ${why}`, losses }];
}

function rulesIn(count: number): string {
  return count === 1 ? "1 rule" : `${count} rules`;
}
