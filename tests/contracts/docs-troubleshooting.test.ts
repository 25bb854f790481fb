/** Every question that the instructions of 1.0 and 3.2 answer is answered, with the lines of `zmes doctor` that belong to it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checks } from "../../src/cli/doctor/checks.ts";
import { root } from "../support/docs-pages.ts";

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
const titles: readonly string[] = checks.map(({ title }) => title);

/** Troubles that those instructions have a heading for, and the heading of ours. */
const answered = [
  ["Picture notifications don't show images", "### Messages show no picture"],
  ["Secure mode just doesn't work (WSS) - WS works", "### wss does not work, ws does"],
  ["I'm not receiving push notifications in zmNinja", "### The phone gets no push"],
  ["I'm getting multiple notifications for the same event", "### Every alarm comes twice"],
  [
    "The server runs fine when manually executed, but fails when run in daemon mode",
    "### It runs by hand, but not when ZoneMinder or systemd starts it",
  ],
  ["'port already in use' or 'cannot bind to port'", "### The port is in use"],
  [
    "I just upgraded ZoneMinder and I'm not getting push anymore",
    "### ZoneMinder was upgraded, and nothing comes any more",
  ],
  ["How do I disable secure (WSS) mode?", "### How do I switch TLS off?"],
  ["Disabling security: ZM Auth checking", "### How do I switch the login off?"],
  ["Debugging and reporting problems", "## Reporting a problem"],
] as const;

/** What those instructions tell people to do, by words of the row that says what to do instead. */
const advised = [
  "CPAN",
  "make the file executable",
  "edit `zmdc.pl` and `zmpkg.pl`",
  "run it by hand as `www-data` first",
  "`openssl req ...`",
  "e-mail the certificate",
  "make certificates readable",
  "`chown -R www-data`",
  "address under `[network]`",
  "port 9000 in the firewall",
  "kill stale processes",
  "`verbose = 1`",
  "`cat tokens.txt`",
  "empty `tokens.txt`",
  "a day or two",
  "`picture_url` to test",
  "to upgrade",
  "wscat",
] as const;

interface Section {
  readonly heading: string;
  readonly text: string;
}

const sections: readonly Section[] = page.split(/^(?=##)/m).map((text) => ({
  heading: text.slice(0, text.indexOf("\n")),
  text,
}));
const from = sections.findIndex(({ heading }) => heading === "## Common problems");
const to = sections.findIndex(({ heading }) => heading.startsWith("## Why a client"));
const symptoms = sections.slice(from + 1, to);
const advice = sections.find(({ heading }) => heading === "## What older instructions advise")?.text ?? "";

/** The doctor's lines that a text names. */
function linesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\*)\*([A-Z][^*]+)\*(?!\*)/g)].map((match) => match[1] ?? "");
}

test.each(answered)("%s: there is a heading for it", (_question, heading) => {
  expect(sections.map((section) => section.heading)).toContain(heading);
});

test.each(advised)("older instructions say %s: there is a row that says what to do instead", (words) => {
  const rows = advice.split("\n").filter((line) => line.startsWith("| "));
  expect(rows.filter((row) => row.split(" | ")[0]?.includes(words))).toHaveLength(1);
});

describe("the doctor's lines", () => {
  test.each(symptoms)("are named for: $heading", ({ text }) => {
    const line = /^\*\*Doctor:\*\* (.+)$/m.exec(text)?.[1] ?? "";
    expect(linesIn(line).length).toBeGreaterThan(0);
    expect(linesIn(line).filter((title) => !titles.includes(title))).toEqual([]);
  });

  test("exist where a row names them", () => {
    const cells = advice.split("\n").flatMap((row) => row.split(" | ")[2] ?? []);
    expect(cells.flatMap(linesIn).length).toBeGreaterThan(10);
    expect(cells.flatMap(linesIn).filter((title) => !titles.includes(title))).toEqual([]);
  });

  test("are all of use for some symptom", () => {
    const named = new Set(symptoms.flatMap(({ text }) => linesIn(text)));
    expect(titles.filter((title) => !named.has(title))).toEqual([]);
  });
});
