// What of the original's rules means something else here.

import { loadRules } from "../../config/rules-file.ts";
import type { Config } from "../../config/schema.ts";
import type { AnyRule } from "../../domain/rules.ts";
import type { Places } from "./places.ts";
import type { Row } from "./survey.ts";

/** The file is used where it lies. Never throws. */
export function lookAtRules({ customize }: Config, places: Places): readonly Row[] {
  if (customize.es_rules === null) return [];
  const file = places.find(customize.es_rules);
  if (file === null) return [];
  const { rules, count, warnings, problems } = loadRules(file);
  const all = [...rules.monitors.values(), ...rules.groups.values(), rules.all].flat();
  const changes = [...overMidnight(all), ...withoutTimes(all)];
  const where = places.named(file);
  const summary: Row = {
    outcome: changes.length > 0 ? "changed" : "taken",
    what: `rules (${count})`,
    where,
    why: changes.join("; "),
  };
  const remarks = [...problems, ...warnings].map((line): Row => {
    const [, at = "", why = line] = /^(.*?:\d+) ([\s\S]*)$/.exec(line) ?? [];
    return { outcome: "not used", what: "rules", where: at === "" ? where : places.named(at), why };
  });
  return [summary, ...remarks];
}

function overMidnight(rules: readonly AnyRule[]): string[] {
  const count = rules.filter(
    (rule) => rule.effect !== "unreadable" && rule.window !== null && rule.window.from > rule.window.to,
  ).length;
  if (count === 0) return [];
  return [`${count} over midnight now hold before midnight as well; the original forgot the evening`];
}

function withoutTimes(rules: readonly AnyRule[]): string[] {
  const count = rules.filter((rule) => rule.effect !== "unreadable" && rule.window === null).length;
  return count === 0 ? [] : [`${count} without times now hold all day; with the original only at 00:00`];
}
