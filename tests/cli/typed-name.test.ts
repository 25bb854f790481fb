// The name under which messages tell people to type this program.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommandLine } from "../../src/cli/dispatch.ts";
import { commands } from "../../src/cli/index.ts";
import { asTyped, typedName } from "../../src/cli/typed-name.ts";
import { testIo } from "../support/command-io.ts";

let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "zmes-typed-")));
  for (const folder of ["program/bin", "usr/bin", "other/bin"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "program/bin/zmes"), "");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const program = () => join(root, "program");
const usrBin = () => join(root, "usr/bin");

test("it is zmes where a link on the PATH leads to it", () => {
  symlinkSync("../../program/bin/zmes", join(usrBin(), "zmes"));
  expect(typedName({ PATH: `/nowhere:${usrBin()}` }, "/", program())).toBe("zmes");
});

test("it is its path where zmes is not on the PATH", () => {
  expect(typedName({ PATH: usrBin() }, "/", program())).toBe(join(program(), "bin/zmes"));
});

test("it is bin/zmes in the program's own folder", () => {
  expect(typedName({ PATH: usrBin() }, program(), program())).toBe("bin/zmes");
});

test("it is its path where the zmes on the PATH is another one", () => {
  writeFileSync(join(usrBin(), "zmes"), "");
  expect(typedName({ PATH: usrBin() }, "/", program())).toBe(join(program(), "bin/zmes"));
});

test("only commands are changed, not sentences about the program", () => {
  const text = "Let zmes make it: sudo zmes setup; `zmes --help` says more, `zmes.yml` is kept, zmes runs.";
  expect(asTyped(text, "bin/zmes")).toBe(
    "Let zmes make it: sudo bin/zmes setup; `bin/zmes --help` says more, `zmes.yml` is kept, zmes runs.",
  );
});

test("a wrong call names the command by which help comes", async () => {
  const io = testIo({ PATH: usrBin() });
  await runCommandLine(commands, ["listen"], io);
  expect(io.err()).toContain("\nTry: bin/zmes listen --help\n");
  const unknown = testIo({ PATH: usrBin() });
  await runCommandLine(commands, ["docter"], unknown);
  expect(unknown.err()).toContain("Did you mean `bin/zmes doctor`?\nAll of them: bin/zmes help\n");
});
