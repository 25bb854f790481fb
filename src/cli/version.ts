// `zmes version`: the number that the program announces to its clients as well.
import { readFileSync } from "node:fs";
import { type Command, EXIT } from "./command.ts";

/** From package.json, which lies two folders up from both src/cli and dist/cli. */
export const programVersion: string = readVersion(new URL("../../package.json", import.meta.url));

export const version: Command = {
  name: "version",
  summary: "print the version",
  usage: "version",
  options: [],
  notes: [],
  async run(_argv, io) {
    io.stdout.write(`${programVersion}\n`);
    return EXIT.ok;
  },
};

function readVersion(file: URL): string {
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof parsed === "object" && parsed !== null && "version" in parsed) return String(parsed.version);
  throw new Error("package.json has no version.");
}
