// Makes values of a YAML text, and no more of them than anybody needs.
import type { TreeNode } from "../yaml-tree.ts";
import { type Entries, listAt, mapAt, merged, nothingAt, textAt, type Value } from "./value.ts";

/** Anchors can make a small text endless. */
const MOST_VALUES = 100_000;
const DEEPEST = 50;

/** The text's values are nested too deeply in that line, or are too many. */
export class TooMuch extends Error {
  readonly line: number;
  constructor(line: number) {
    super();
    this.line = line;
  }
}

/** Makes the values of one text; what it returns throws TooMuch. `hasLines`: false where the text is no file. */
export function yamlValues({ hasLines }: { hasLines: boolean }): (node: TreeNode, path: string) => Value {
  let left = MOST_VALUES;
  const lineOf = ({ line }: { readonly line: number }) => (hasLines ? line : 0);
  return (node, path) => valueAt(node, path, 0);

  function valueAt(node: TreeNode, path: string, depth: number): Value {
    const place = { path, line: lineOf(node) };
    left -= 1;
    if (left < 0 || depth > DEEPEST) throw new TooMuch(node.line);
    switch (node.kind) {
      case "text":
        return textAt(place, node.text);
      case "nothing":
        return nothingAt(place);
      case "list":
        return listAt(
          place,
          node.items().map((item, index) => valueAt(item, `${path}[${index}]`, depth + 1)),
        );
      case "map":
        return mapAt(place, entriesAt(node, path, depth));
    }
  }

  /** "<<" takes in what another map has, as the original's reader does. */
  function entriesAt(node: TreeNode, path: string, depth: number): Entries {
    const own = new Map<string, Value>();
    let taken: Entries = new Map();
    for (const entry of node.entries()) {
      const value = valueAt(entry.node, `${path}.${entry.key}`, depth + 1);
      // A map's own place is where it begins, below its key.
      if (entry.key === "<<" && value.kind === "map") taken = value.entries;
      else own.set(entry.key, { ...value, line: lineOf(entry) });
    }
    return taken.size === 0 ? own : merged(taken, own);
  }
}
