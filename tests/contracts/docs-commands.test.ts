/** Whoever types a command of zmes as a page or the picture shows it is understood by the command's own parser. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDemoOptions } from "../../src/cli/demo/options.ts";
import { parseDetectOptions } from "../../src/cli/detect/options.ts";
import { commands } from "../../src/cli/index.ts";
import { parseListenOptions } from "../../src/cli/listen/options.ts";
import { parseModelsOptions } from "../../src/cli/models/options.ts";
import { parseRulesOptions } from "../../src/cli/rules/options.ts";
import { parseOptions } from "../../src/config/cli-options.ts";
import { splitCommand } from "../../src/lib/command-line.ts";
import { testIo } from "../support/command-io.ts";
import { pages, root, zmesCalls } from "../support/docs-pages.ts";

/** Commands that take the options of the original, by its own lenient rules, and these besides. */
const LENIENT: Readonly<Record<string, readonly string[]>> = {
  run: [],
  "check-config": [],
  why: [],
  outbox: [],
  devices: ["--json"],
  "test-push": ["--picture"],
  pictures: [],
};
/** Their own options, and those of the original besides. */
const OWN_AND_LENIENT: Readonly<
  Record<string, (argv: readonly string[]) => string | { readonly rest: readonly string[] }>
> = {
  rules: (argv) => parseRulesOptions(argv, 0),
  detect: (argv) => (argv.length === 0 ? { rest: [] } : parseDetectOptions(argv)),
  models: (argv) => (argv.length === 0 ? { rest: [] } : parseModelsOptions(argv)),
};
/** Without options of their own; detect-script passes on whatever the original's scripts were given. */
const PLAIN = ["help", "version", "example-config", "detect-script"];

/** Asked for behind everything else: a strict parser names the first option it does not know. */
const UNKNOWN = "--no-page-names-this";

/** What the command's own parser has against the call; null when it has nothing. */
async function objection(call: string): Promise<string | null> {
  const words = splitCommand(call.replaceAll("[", "").replaceAll("]", ""))?.words ?? [];
  const [first = ""] = words;
  const isNamed = /^[a-z]/.test(first);
  const [name, argv] = isNamed ? [first, words.slice(1)] : ["run", words];
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return `there is no command "${name}"`;
  if (PLAIN.includes(name) || argv.includes("--help")) return null;
  if (name === "detect" && argv[0] === "install-scripts") return null; // folders and names, nothing to misspell
  const own = OWN_AND_LENIENT[name];
  if (own !== undefined) {
    const options = own(argv);
    return typeof options === "string" ? options : (parseOptions([...options.rest]).warnings[0] ?? null);
  }
  const besides = LENIENT[name];
  if (besides !== undefined)
    return parseOptions(argv.filter((word) => !besides.includes(word))).warnings[0] ?? null;
  const io = testIo();
  const code = await command.run([...argv, UNKNOWN], io);
  return code === 2 && io.err().includes(UNKNOWN) ? null : io.err();
}

const calls = pages.flatMap(({ path, code }) => zmesCalls(code).map((call) => ({ path, call })));
const distinct = [...new Map(calls.map((each) => [each.call, each])).values()];

test("there are calls to look at", () => {
  expect(distinct.length).toBeGreaterThan(40);
});

test.each(distinct)("`zmes $call` ($path) is understood", async ({ call }) => {
  expect(await objection(call)).toBeNull();
});

test("what no command understands is found", async () => {
  expect(await objection("doctor --jsn")).toContain("--jsn");
  expect(await objection("setup --yes --nme x")).toContain("--nme");
  expect(await objection("devices --jsn")).toContain("jsn");
  expect(await objection("listn")).toContain("listn");
});

test("every command is named on some page", () => {
  const named = new Set(calls.map(({ call }) => call.split(" ")[0]));
  expect(commands.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
});

describe("docs/images/demo.svg", () => {
  const picture = readFileSync(join(root, "docs/images/demo.svg"), "utf8");
  const typed = [...picture.matchAll(/<text [^>]*class="typed"[^>]*>\$ ([^<]+)<\/text>/g)].map(
    (match) => match[1] ?? "",
  );

  test("shows two commands that zmes takes as they are", () => {
    const [demo = "", listen = ""] = zmesCalls(typed);
    expect(typed).toHaveLength(2);
    expect(parseDemoOptions(demo.split(" ").slice(1))).toMatchObject({ monitors: 3 });
    expect(parseListenOptions(listen.split(" ").slice(1))).toMatchObject({ user: "demo" });
  });

  test("shows each alarm in both terminals", () => {
    const alarms = [...picture.matchAll(/<text [^>]*class="alarm"[^>]*>([^<]+)<\/text>/g)];
    const events = alarms.map((match) => /event \d+/.exec(match[1] ?? "")?.[0]);
    const half = events.length / 2;
    expect(half).toBeGreaterThan(2);
    expect(events.slice(0, half)).toEqual(events.slice(half));
  });

  test("loads nothing from elsewhere", () => {
    expect(picture.match(/https?:\/\/[^\s"]+/g)).toEqual(["http://www.w3.org/2000/svg"]);
    expect(picture).not.toMatch(/<script|<image|@import|@font-face|url\(|href/);
  });
});
