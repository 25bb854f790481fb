/** Every command that package.json promises is there. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
};

describe("package.json", () => {
  it.each(Object.entries(manifest.scripts))("`npm run %s` finds every file it names", (_name, command) => {
    const named = command.match(/\b(?:scripts|src|bench|node_modules)\/[\w./-]+/g) ?? [];
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(Object.entries(manifest.scripts))(
    "`npm run %s` calls only scripts that exist",
    (_name, command) => {
      const called = [...command.matchAll(/\bnpm run (?:--\S+ )*([\w:]+)/g)].map((match) => match[1] ?? "");
      expect(called.filter((name) => !(name in manifest.scripts))).toEqual([]);
    },
  );

  it.each(Object.entries(manifest.scripts))(
    "`npm run %s` runs a program that is installed",
    (_name, command) => {
      const programs = command.split("&&").map((part) => part.trim().split(" ")[0] ?? "");
      const known = ["bash", "node", "npm"];
      const missing = programs.filter(
        (program) => !known.includes(program) && !existsSync(join(root, "node_modules/.bin", program)),
      );
      expect(missing).toEqual([]);
    },
  );

  it.each(Object.entries(manifest.bin))("the command %s can be executed", (_name, path) => {
    expect(() => accessSync(join(root, path), constants.X_OK)).not.toThrow();
  });

  it("offers .ci/run as a program", () => {
    expect(() => accessSync(join(root, ".ci/run"), constants.X_OK)).not.toThrow();
  });
});
