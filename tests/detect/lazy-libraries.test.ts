// The large libraries are for the detector's own process; a server without detection must not carry them.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What a new process has loaded after it has run that code: native libraries by their paths. */
function loadedBy(code: string): string[] {
  const report =
    "process.report.excludeNetwork = true; console.log(JSON.stringify(process.report.getReport().sharedObjects))";
  const script = `${code}; ${report}`;
  const root = join(import.meta.dirname, "../..");
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: root,
    stdio: "pipe",
  });
  return JSON.parse(String(out));
}

const large = (paths: readonly string[]) => paths.filter((file) => /sharp|onnxruntime/.test(file));

test("the whole program is loaded without the libraries for pictures and models", () => {
  expect(large(loadedBy('await import("./src/cli/index.ts"); await import("./src/daemon.ts")'))).toEqual([]);
});

test("the engine for models is loaded without them, until it opens one", () => {
  expect(large(loadedBy('await import("./src/detect/engines/onnx.ts")'))).toEqual([]);
});

test("a library that is loaded would be noticed", () => {
  expect(large(loadedBy('await import("sharp")'))).not.toEqual([]);
});
