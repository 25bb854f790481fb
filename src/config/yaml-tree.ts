// Walks through a YAML or JSON file of any depth, keeping line numbers; each node is looked at when it is asked for.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type ParsedNode,
} from "yaml";
import type { Remark } from "./raw-file.ts";
import { parseYaml, textOf } from "./yaml-file.ts";

/** A place in the file. */
export interface TreeNode {
  readonly line: number;
  readonly kind: "map" | "list" | "text" | "nothing";
  /** As it was typed; empty unless kind is "text". */
  readonly text: string;
  /** Of a map, each key once, in file order. */
  entries(): readonly TreeEntry[];
  /** Of a list. */
  items(): readonly TreeNode[];
}

export interface TreeEntry {
  readonly key: string;
  readonly line: number;
  readonly node: TreeNode;
}

export interface Tree {
  /** null when the text could not be understood. */
  readonly root: TreeNode | null;
  readonly problems: readonly Remark[];
}

/** JSON is YAML, apart from comments that some put into it. Never throws. */
export function readTree(text: string): Tree {
  const source = text.replace(/^\uFEFF/, "");
  try {
    const parsed = parseYaml(/^\s*(\/[/*]|\{)/.test(source) ? withoutComments(source) : source);
    if (!parsed.complete) return { root: null, problems: parsed.problems };
    return { root: nodeAt(parsed.document.contents, parsed), problems: parsed.problems };
  } catch {
    return { root: null, problems: [{ line: 1, text: "this is neither YAML nor JSON that can be read" }] };
  }
}

interface Place {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

function nodeAt(found: unknown, place: Place): TreeNode {
  const line = lineOf(found, place);
  const node = isAlias(found) ? found.resolve(place.document) : found;
  const text = isScalar(node) ? textOf(node) : null;
  return {
    line,
    kind: isMap(node) ? "map" : isSeq(node) ? "list" : text === null ? "nothing" : "text",
    text: text ?? "",
    entries: () => (isMap(node) ? entriesOf(node.items, place) : []),
    items: () => (isSeq(node) ? node.items.map((item) => nodeAt(item, place)) : []),
  };
}

function entriesOf(pairs: readonly { key: unknown; value: unknown }[], place: Place): readonly TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? (textOf(key) ?? "") : "";
    if (entries.has(name)) continue;
    const line = lineOf(key, place);
    const node = nodeAt(value, place);
    // An empty value has no place of its own.
    entries.set(name, { key: name, line, node: node.kind === "nothing" ? { ...node, line } : node });
  }
  return [...entries.values()];
}

function lineOf(node: unknown, { lines }: Place): number {
  const range = isNode(node) ? (node as ParsedNode).range : null;
  return lines.linePos(range?.[0] ?? 0).line;
}

/** Comments as JavaScript has them become blanks, so that every line keeps its number; texts stay as they are. */
function withoutComments(source: string): string {
  const pattern =
    /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<=^|[\s,{}[\]])\/\/[^\n]*|(?<=^|[\s,{}[\]])\/\*[\s\S]*?\*\//g;
  return source.replace(pattern, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}
