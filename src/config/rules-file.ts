// Reads the rules of the operator (customize.es_rules): the JSON of version 6, the YAML of 7, and what is new since.
import { type AnyRule, NO_RULES, type RuleSet } from "../domain/rules.ts";
import { readTextFile } from "./config-file.ts";
import type { Remark } from "./raw-file.ts";
import { readRule } from "./read-rule.ts";
import { nearest } from "./words.ts";
import { readTree, type TreeEntry, type TreeNode } from "./yaml-tree.ts";

export interface ReadRules {
  readonly rules: RuleSet;
  readonly count: number;
  readonly warnings: readonly Remark[];
  /** With any of them the file is broken: `rules` holds what could be read, and is used only when there is no better. */
  readonly problems: readonly Remark[];
}

export interface LoadedRules extends Omit<ReadRules, "warnings" | "problems"> {
  /** Whole lines, "FILE:LINE what is wrong". */
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** Reads the file. Never throws: a file that cannot be read is a problem. */
export function loadRules(path: string, onTooSlow?: (rule: string) => void): LoadedRules {
  const content = readTextFile(path, { mayBePipe: false });
  if (!content.ok) {
    const problem = `${path}: cannot read the rules (customize.es_rules): ${content.why}`;
    return { rules: NO_RULES, count: 0, warnings: [], problems: [problem] };
  }
  const read = readRules(content.text, onTooSlow);
  const placed = ({ line, text }: Remark) => `${path}:${line} ${text}`;
  return { ...read, warnings: read.warnings.map(placed), problems: read.problems.map(placed) };
}

/** Reads the text. Never throws. `onTooSlow`: the cause_has of the rule of that name takes too long. */
export function readRules(text: string, onTooSlow?: (rule: string) => void): ReadRules {
  const sink: Sink = { warnings: [], problems: [], count: 0, onTooSlow };
  if (text.length > LONGEST_FILE) {
    const problem = { line: 1, text: `the file is longer than ${LONGEST_FILE} characters` };
    return { rules: NO_RULES, count: 0, warnings: [], problems: [problem] };
  }
  const { root, problems } = readTree(text);
  sink.problems.push(...problems);
  const rules = root === null ? NO_RULES : readRoot(root, sink);
  const byLine = (remarks: readonly Remark[]) => remarks.toSorted((a, b) => a.line - b.line);
  return { rules, count: sink.count, warnings: byLine(sink.warnings), problems: byLine(sink.problems) };
}

/** Reading takes about 1 ms for each KB, and no camera is looked at meanwhile. Usual files have a few KB. */
const LONGEST_FILE = 100_000;
/** An alias can make much of little. */
const MOST_RULES = 10_000;

interface Sink {
  readonly warnings: Remark[];
  readonly problems: Remark[];
  count: number;
  readonly onTooSlow: ((rule: string) => void) | undefined;
}

function readRoot(root: TreeNode, sink: Sink): RuleSet {
  const tree = below(root, ["notifications"], sink).find(({ key }) => key === "notifications");
  if (tree === undefined) {
    if (root.kind !== "nothing")
      sink.problems.push({ line: root.line, text: 'expected "notifications:" with "monitors:" below it' });
    return NO_RULES;
  }
  const monitors = new Map<number, readonly AnyRule[]>();
  const groups = new Map<string, readonly AnyRule[]>();
  let all: readonly AnyRule[] = [];
  for (const { key, node } of below(tree.node, ["monitors", "groups"], sink)) {
    if (!isMapOrNothing(node, key, sink)) continue;
    for (const entry of node.entries()) {
      const list = () => readList(entry, `${key} ${entry.key}`, sink);
      if (key === "groups") groups.set(entry.key.trim().toLowerCase(), list());
      else if (entry.key === "all" || entry.key === "*") all = [...all, ...list()];
      else if (/^\s*0*[1-9]\d{0,14}\s*$/.test(entry.key)) monitors.set(Number(entry.key), list());
      else sink.problems.push({ line: entry.line, text: notAMonitor(entry.key) });
    }
  }
  return { monitors, groups, all };
}

function notAMonitor(key: string): string {
  return `${JSON.stringify(key.slice(0, 64))} is not a monitor: expected its number, or "all"`;
}

/** The known ones among the keys of a mapping; of the others it is said that they mean nothing. */
function below(node: TreeNode, known: readonly string[], sink: Sink): readonly TreeEntry[] {
  if (!isMapOrNothing(node, known.join(", "), sink)) return [];
  const entries = node.entries();
  for (const { key, line } of entries) {
    if (known.includes(key) || /^_?comment/i.test(key)) continue;
    const meant = nearest(key, known);
    const remark = { line, text: `${JSON.stringify(key.slice(0, 64))} is not known here` };
    // A typing error would silently switch off everything below it.
    if (meant === null) sink.warnings.push({ ...remark, text: `${remark.text} and means nothing` });
    else sink.problems.push({ ...remark, text: `${remark.text}; did you mean ${meant}?` });
  }
  return entries.filter(({ key }) => known.includes(key));
}

function isMapOrNothing(node: TreeNode, what: string, sink: Sink): boolean {
  if (node.kind === "map" || node.kind === "nothing") return true;
  sink.problems.push({ line: node.line, text: `${what}: expected keys with values below it` });
  return false;
}

/** The rules of a monitor, a group, or all monitors: below "rules". */
function readList({ node, line }: TreeEntry, owner: string, sink: Sink): readonly AnyRule[] {
  const rules = below(node, ["rules"], sink).find(({ key }) => key === "rules");
  if (rules === undefined || rules.node.kind === "nothing") return [];
  if (rules.node.kind !== "list") {
    sink.problems.push({ line: rules.line, text: `${owner}: expected a list of rules below "rules"` });
    return [{ name: `${owner}, rules`, effect: "unreadable", line: rules.line }];
  }
  const items = rules.node.items();
  if (sink.count + items.length > MOST_RULES) {
    sink.problems.push({ line, text: `there are more than ${MOST_RULES} rules` });
    return [];
  }
  sink.count += items.length;
  return items.map((item, index) => readRule(item, `${owner}, rule ${index + 1}`, sink));
}
