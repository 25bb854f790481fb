// Files of settings for one test, in a folder that goes away after it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";

/** Writes the files into a fresh folder and gives its path. */
export function aFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "zmes-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}

/** Loads the text as a file of this name, with other files beside it. */
export function load(
  name: string,
  text: string,
  beside: Readonly<Record<string, string>> = {},
): LoadedConfig {
  return loadConfig({ path: join(aFolder({ ...beside, [name]: text }), name) });
}

/** The lines without the folder they name. */
export function shortened(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll(/\/\S*\/(?=[\w.-]+\.(ini|yml))/g, ""));
}

/** The path of a file in tests/fixtures/config. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/config/${name}`, import.meta.url));
}
