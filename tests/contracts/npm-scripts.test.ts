/** Every command that package.json promises is there. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
};

const commands = Object.values(manifest.scripts);

describe("package.json", () => {
  it("has only commands whose files exist", () => {
    const named = commands.flatMap(
      (line) => line.match(/\b(?:scripts|src|bench|node_modules)\/[\w./-]+/g) ?? [],
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("has only commands whose own `npm run` calls exist", () => {
    const called = commands.flatMap((line) => [...line.matchAll(/\bnpm run (?:--\S+ )*([\w:]+)/g)]);
    expect(called.map((match) => match[1] ?? "").filter((name) => !(name in manifest.scripts))).toEqual([]);
  });

  it("has only commands whose programs are installed", () => {
    const programs = commands.flatMap((line) =>
      line.split("&&").map(
        (part) =>
          part
            .trim()
            .replace(/^exec /, "")
            .split(" ")[0] ?? "",
      ),
    );
    const installed = ["bash", "node", "npm", ...readdirSync(join(root, "node_modules/.bin"))];
    expect(programs.filter((program) => !installed.includes(program))).toEqual([]);
  });

  it("offers programs that can be executed", () => {
    const programs = [...Object.values(manifest.bin), ".ci/run"];
    expect(programs.filter((path) => !canBeExecuted(join(root, path)))).toEqual([]);
  });
});

function canBeExecuted(path: string): boolean {
  return existsSync(path) && (statSync(path).mode & 0o111) === 0o111;
}
