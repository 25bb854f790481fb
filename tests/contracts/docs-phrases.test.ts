/** The log lines that people were told to look for are kept, and docs/troubleshooting.md explains each of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

/** The lines as the debugging chapters of the original's instructions (1.0, 3.2) show them. */
const shown = [
  "using config file: /etc/zm/zmeventnotification.ini",
  "Configuration (read /etc/zm/zmeventnotification.ini):",
  "'zmeventnotification.pl' started at 17/11/26 14:27:20",
  "Push enabled via FCM",
  "Event Notification daemon v 0.95 starting",
  "Total event client connections: 3",
  "Reloading Monitors...",
  "Loading monitors",
  "About to start listening to socket",
  "Secure WS(WSS) is enabled...",
  "Web Socket Event Server listening on port 9000",
  'Raw incoming message: {"event":"push","data":{"type":"token","platform":"ios"}}',
  "got a websocket connection from XX.XX.XX.XX (11) active connections",
  "Websockets: New Connection Handshake requested from XX.XX.XX.XX:55189 state=pending auth",
  "Correct authentication provided by XX.XX.XX.XX",
  "Storing token ...9f665f182b,monlist:-1,intlist:-1,pushstate:enabled",
  "Contrl: Storing token ...9f665f182b,monlist:1,2,4,5,6,7,10,intlist:0,0,0,0,0,0,0,pushstate:enabled",
  'Real-time event: {"type":"","version":"2.4","status":"Success","reason":"","event":"auth"}',
  "New event 32910 reported for Garage",
  "Broadcasting new events to all 12 websocket clients",
  "Checking alarm rules for token ending in:...2baa57e387",
  "Monitor 1 event: last time not found, so sending",
  "Sending notification over PushProxy",
  "Pushproxy push message success",
];

interface Row {
  readonly phrase: string;
  readonly file: string;
}

const kept: readonly Row[] = [...page.matchAll(/^\| `([^`]+)` \| [^|]+ \| `(src\/[^`]+)` \|$/gm)].map(
  (match) => ({ phrase: match[1] ?? "", file: match[2] ?? "" }),
);
const explained = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? "");

describe("docs/troubleshooting.md", () => {
  test.each(shown)("explains the line %j", (line) => {
    expect(explained.some((phrase) => asPattern(phrase).test(line))).toBe(true);
  });

  test.each(kept)("names the file that writes $phrase", ({ phrase, file }) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(textOf(file).includes(withHoles(phrase))).toBe(true);
  });

  test("keeps every line, and excuses only those of other programs and two that zmes says otherwise", () => {
    const excused = explained.filter(
      (phrase) => page.indexOf(`| \`${phrase}\` |`) > page.indexOf("### With push"),
    );
    const foreign = excused.filter((phrase) => !kept.some((row) => row.phrase === phrase));
    expect(foreign).toHaveLength(4);
    const remaining = shown.filter((line) => !foreign.some((phrase) => asPattern(phrase).test(line)));
    expect(remaining.filter((line) => !kept.some(({ phrase }) => asPattern(phrase).test(line)))).toEqual([]);
  });

  test("quotes only messages of problems that the program writes", () => {
    const section = page.slice(page.indexOf("## Common problems"), page.indexOf("## Why a client"));
    const quoted = [...section.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(
      (match) => match[1] ?? "",
    );
    const messages = quoted.filter(
      (text) => text.includes(" ") && !/^(?:sudo|systemctl|bin\/|zmes )/.test(text),
    );
    const everything = sources().map(textOf).join("\n");
    const parts = messages.flatMap((text) => text.split(/\.\.\.|9000|\[::\]/).map((part) => part.trim()));
    const unknown = parts.filter((part) => part !== "" && !everything.includes(part));
    expect(messages.length).toBeGreaterThan(10);
    expect(unknown).toEqual([]);
  });
});

const HOLE = "\u25cb";

/** "New event <number> reported" as a pattern for a whole line. */
function asPattern(phrase: string): RegExp {
  const parts = phrase.split(/<\w+>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+?")}$`);
}

function withHoles(phrase: string): string {
  return phrase.replace(/<\w+>/g, HOLE);
}

/** A source file without its comments, with a hole for everything that is filled into a text, and texts joined. */
function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8")
    .replace(/^\s*(?:\/\/|\/?\*).*$/gm, "")
    .replace(/["`] \+\s+["`]/g, "")
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}|\{\w+\}/g, HOLE);
}

function sources(): readonly string[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join("src", name));
}
