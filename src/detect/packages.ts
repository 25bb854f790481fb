// The npm packages that only detection needs: which are missing, and how they are installed where zmes came without them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { EngineSettings } from "../domain/detect-settings.ts";

/** Where the Debian package puts the program (packaging/package.ts). */
const PACKAGED = "/usr/lib/zmes/";
/** Two folders up from both src/detect and dist/detect. */
const HOME = fileURLToPath(new URL("../../", import.meta.url));

/** Whether this program came as a Debian package. */
export const isPackaged = HOME === PACKAGED;

/** In one sentence, with the command. `home`: the program's folder, with a slash at its end. */
export function howToInstall(home = HOME): string {
  if (home !== PACKAGED) return `Run \`npm ci\` in ${home}, without --omit.`;
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const file = `./zmes-detect_${versionOf(home)}_${arch}.deb`;
  return `Install the package zmes-detect, which lies where that of zmes was: sudo apt install ${file}`;
}

/** `isThere` says so of the name of a package; for tests. */
export function missingPackages(
  kinds: readonly EngineSettings["kind"][],
  isThere: (name: string) => boolean = canBeFound,
): readonly string[] {
  const needed = new Set(["sharp", ...kinds.flatMap((kind) => NEEDED[kind] ?? [])]);
  return [...needed].filter((name) => !isThere(name) && !(name === RUNTIME && isThere(WEB_RUNTIME)));
}

/** The failure itself, or, when a package is missing, an Error that says how it is installed. */
export function explained(failure: unknown): unknown {
  const code = failure instanceof Error && "code" in failure ? failure.code : null;
  if (!(failure instanceof Error) || (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND"))
    return failure;
  const [, name = "A package"] = /'((?:@[\w.-]+\/)?[\w.-]+)/.exec(failure.message) ?? [];
  return new Error(`${name} is not installed. ${howToInstall()}`, { cause: failure });
}

const RUNTIME = "onnxruntime-node";
/** Stands in for it, where there is no build for the machine. */
const WEB_RUNTIME = "onnxruntime-web";

const NETWORK = [RUNTIME, "@bufbuild/protobuf"];
const NEEDED: Readonly<Partial<Record<EngineSettings["kind"], readonly string[]>>> = {
  onnx: NETWORK,
  darknet: NETWORK,
  hog: ["@techstark/opencv-js"],
};

const require = createRequire(import.meta.url);

function canBeFound(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function versionOf(home: string): string {
  try {
    const manifest = JSON.parse(readFileSync(`${home}package.json`, "utf8")) as {
      readonly version?: unknown;
    };
    return typeof manifest.version === "string" ? manifest.version : "VERSION";
  } catch {
    return "VERSION";
  }
}
