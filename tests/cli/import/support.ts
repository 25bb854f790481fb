/** A machine with an installed original: the files of tests/fixtures/originals, copied into a folder of the test. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type ImportPlan, planImport } from "../../../src/cli/import/plan.ts";

const ORIGINALS = fileURLToPath(new URL("../../fixtures/originals", import.meta.url));

export const versions = readdirSync(ORIGINALS).toSorted();

/** The version's files, and others on top, below a folder that stands for "/". */
export function machine(version: string | null, files: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "zmes-import-test-"));
  // The server's user reads its own files there.
  chmodSync(root, 0o755);
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  if (version !== null) cpSync(join(ORIGINALS, version), root, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** What `zmes import` would do there. The server reads the original's secrets unless it is said that it cannot. */
export async function planFor(
  root: string,
  options: { from?: string[]; serverReads?: boolean; detection?: boolean } = {},
) {
  const { from = [], serverReads = true, detection = false } = options;
  const plan = await planImport({ root, from, serverReads: async () => serverReads, detection });
  if (plan === null) throw new Error("nothing was found");
  return plan;
}

/** "key outcome" and why, for one line of the table. */
export function rowOf(plan: ImportPlan, what: string) {
  return plan.rows.find((row) => row.what === what) ?? null;
}

/** Every file below the folder with its content. */
export function contents(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
