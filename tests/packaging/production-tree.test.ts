import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PLATFORMS, productionTree } from "../../packaging/production-tree.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-tree-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Entries by folder, without "node_modules/" in front. */
function tree(cpu: "x64" | "arm64", own: object, entries: Readonly<Record<string, object>>) {
  const packages = Object.fromEntries(
    Object.entries(entries).map(([at, entry]) => [`node_modules/${at}`, { version: "1.0.0", ...entry }]),
  );
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": own, ...packages } }));
  const platform = PLATFORMS.find((candidate) => candidate.cpu === cpu);
  if (!platform) throw new Error(cpu);
  const { main, detect } = productionTree(folder, platform);
  const names = (list: typeof main) => list.map(({ at }) => at.slice("node_modules/".length));
  return { main: names(main), detect: names(detect) };
}

const needs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "1.0.0"]));

test("what is for building only, and Node itself, is left out", () => {
  const found = tree(
    "x64",
    { dependencies: needs("a", "node"), devDependencies: needs("tool") },
    {
      a: { dependencies: needs("b", "@types/b", "node-addon-api") },
      b: {},
      node: {},
      tool: {},
      "@types/b": {},
      "node-addon-api": {},
    },
  );
  expect(found).toEqual({ main: ["a", "b"], detect: [] });
});

test("of builds for machines only those that fit are taken", () => {
  const builds = { x: "x64", arm: "arm64" } as const;
  const entries = {
    a: { optionalDependencies: needs("a-x", "a-arm", "a-musl", "a-mac", "a-missing") },
    ...Object.fromEntries(
      Object.entries(builds).map(([name, cpu]) => [`a-${name}`, { os: ["linux"], cpu: [cpu] }]),
    ),
    "a-musl": { os: ["linux"], libc: ["musl"] },
    "a-mac": { os: ["darwin"] },
  };
  expect(tree("x64", { dependencies: needs("a") }, entries).main).toEqual(["a", "a-x"]);
  expect(tree("arm64", { dependencies: needs("a") }, entries).main).toEqual(["a", "a-arm"]);
});

test("what onnxruntime needs only to fetch CUDA when it is installed is left out", () => {
  const found = tree(
    "x64",
    { optionalDependencies: needs("onnxruntime-node") },
    {
      "onnxruntime-node": { dependencies: needs("onnxruntime-common", "adm-zip", "global-agent") },
      "onnxruntime-common": {},
      "adm-zip": {},
      "global-agent": { dependencies: needs("roarr") },
      roarr: {},
    },
  );
  expect(found).toEqual({ main: [], detect: ["onnxruntime-common", "onnxruntime-node"] });
});

test("packages of detection are apart, without what the server needs anyway", () => {
  const found = tree(
    "x64",
    { dependencies: needs("sharp"), optionalDependencies: needs("onnxruntime-node") },
    {
      sharp: { dependencies: needs("c") },
      c: {},
      "onnxruntime-node": { dependencies: needs("c", "d") },
      d: {},
    },
  );
  expect(found).toEqual({ main: ["c", "sharp"], detect: ["d", "onnxruntime-node"] });
});

test("of two versions, each finds the one that Node would", () => {
  const entries = {
    a: { dependencies: needs("b", "c") },
    "a/node_modules/b": { dependencies: needs("c") },
    b: {},
    c: { dependencies: needs("b") },
  };
  expect(tree("x64", { dependencies: needs("a") }, entries).main).toEqual([
    "a",
    "a/node_modules/b",
    "b",
    "c",
  ]);
});

test("a package that the lock file lacks is named", () => {
  expect(() => tree("x64", { dependencies: needs("a") }, { a: { dependencies: needs("gone") } })).toThrow(
    /no gone, which node_modules\/a needs/,
  );
});
