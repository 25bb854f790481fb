/** The rooms of src/ stay apart: biome.json refuses every import that the architecture forbids. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** What each room may import besides itself. The same table stands in ARCHITECTURE.md; src/cli may import everything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: [],
  zoneminder: ["domain", "lib"],
  detect: ["domain", "lib"],
  hooks: ["domain", "lib"],
  delivery: ["domain", "lib"],
  server: ["domain", "lib"],
  store: ["domain", "lib"],
  channels: ["domain", "lib"],
  pipeline: ["domain", "lib"],
  config: ["domain", "lib", "channels"],
  demo: ["domain", "lib", "zoneminder"],
};
const rooms = Object.keys(mayImport);
const neighbours = [...rooms, "cli", "daemon.ts", "main.ts"];

const root = join(import.meta.dirname, "../..");
let tree: string;
let refused: ReadonlySet<string>;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "zmes-boundaries-"));
  copyFileSync(join(root, "biome.json"), join(tree, "biome.json"));
  copyFileSync(join(root, ".gitignore"), join(tree, ".gitignore"));
  for (const room of rooms) for (const neighbour of neighbours) writeProbe(room, neighbour);
  write("src/server/deeper/to-zoneminder.ts", 'export { target } from "../../zoneminder/target.ts";\n');
  write("src/pipeline/typed-to-server.ts", 'export type { Target } from "../server/target.ts";\n');
  write("src/pipeline/dynamic-to-server.ts", 'export const target = import("../server/target.ts");\n');
  write("src/domain/to-node.ts", 'export { readFileSync } from "node:fs";\n');
  refused = new Set(lint(tree));
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe("folder boundaries", () => {
  it.each(rooms)("src/%s is refused every neighbour that it must not know, and no other", (room) => {
    const forbidden = neighbours.filter((n) => n !== room && mayImport[room]?.includes(n) === false);
    const found = neighbours.filter((neighbour) => refused.has(probePath(room, neighbour)));
    expect(found).toEqual(forbidden);
  });

  it("hold in folders inside a room", () => {
    expect(refused).toContain("src/server/deeper/to-zoneminder.ts");
  });

  it("hold for types and for dynamic imports", () => {
    expect(refused).toContain("src/pipeline/typed-to-server.ts");
    expect(refused).toContain("src/pipeline/dynamic-to-server.ts");
  });

  it("keep the domain away from the platform", () => {
    expect(refused).toContain("src/domain/to-node.ts");
  });

  it("are known for every folder in src/", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.filter((folder) => folder !== "cli" && !rooms.includes(folder))).toEqual([]);
  });

  it("leave the domain without any package", () => {
    const outside = filesOf("src/domain").flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/\bfrom "(?!\.\/)([^"]+)"/g)].map(
        (match) => `${file}: ${match[1]}`,
      ),
    );
    expect(outside).toEqual([]);
  });
});

function writeProbe(room: string, neighbour: string): void {
  const target = neighbour.endsWith(".ts") ? neighbour : `${neighbour}/target.ts`;
  write(probePath(room, neighbour), `export { target } from "../${target}";\n`);
}

function probePath(room: string, neighbour: string): string {
  return `src/${room}/to-${neighbour.replace(".ts", "-file")}.ts`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

/** The files in which biome reports a forbidden import. */
function lint(directory: string): readonly string[] {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["lint", "--only=style/noRestrictedImports", "--reporter=json", "--max-diagnostics=none", "."];
  let report = "";
  try {
    report = execFileSync(biome, args, {
      cwd: directory,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    // Exit code 1 is what refused imports look like; the report is there all the same.
    report = String((error as { readonly stdout: unknown }).stdout);
  }
  const parsed = JSON.parse(report) as {
    readonly diagnostics: readonly {
      readonly category: string;
      readonly location: { readonly path: unknown };
    }[];
  };
  return parsed.diagnostics
    .filter((diagnostic) => diagnostic.category === "lint/style/noRestrictedImports")
    .map((diagnostic) => String(diagnostic.location.path));
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, folder, name));
}
