// The pages people read, and the commands of zmes that they name.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

export interface Page {
  /** From the root of the checkout. */
  readonly path: string;
  readonly text: string;
  /** What is typed: fenced blocks and code in the running text. Blocks of ~~~ show what programs print. */
  readonly code: readonly string[];
  /** The running text, without blocks. */
  readonly prose: string;
}

export const pages: readonly Page[] = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
].map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const prose = text.replace(/^ *(```|~~~)[\s\S]*?^ *\1$/gm, "");
  const blocks = [...text.matchAll(/^ *```.*\n([\s\S]*?)^ *```$/gm)].map((match) => match[1] ?? "");
  return { path, text, prose, code: [...blocks, ...(prose.match(/`[^`]+`/g) ?? [])] };
});

/** What is typed after `zmes`, one text for each call. */
export function zmesCalls(code: readonly string[]): readonly string[] {
  return code
    .flatMap((text) => text.replace(/\\\n\s*/g, " ").split("\n"))
    .flatMap((line) => [...line.matchAll(/(?:^|[\s`/])zmes((?: [^\s`|;&)\]]+)+)/g)])
    .map((match) => (match[1] ?? "").trim());
}
