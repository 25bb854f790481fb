// The rules of a running program: their file is edited, broken, mended and removed.
import { execFileSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createRules } from "../../src/config/rules.ts";
import { decideByRules } from "../../src/domain/rules.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";
import { aFolder } from "./temporary-files.ts";

const withAction = (action: string) =>
  `notifications:\n  monitors:\n    4:\n      rules:\n        - action: ${action}\n`;

async function site(text: string | null) {
  const path = join(aFolder(), "rules.yml");
  if (text !== null) writeFileSync(path, text);
  const log: Record<string, unknown>[] = [];
  const customize: { es_rules: string | null } = { es_rules: path };
  const rules = createRules({ customize, clock: systemClock, logger: recordingLogger(log) });
  await rules.start(new AbortController().signal);
  onTestFinished(() => rules.stop());
  const outcome = () =>
    decideByRules(rules.current(), { monitor: mid(4), groups: [], cause: "", at: 0 }).outcome;
  const messages = () => log.map(({ msg }) => String(msg).replace(path, "FILE"));
  return { path, customize, rules, outcome, messages };
}

/** A look each second, half a second for the file to settle, and a busy machine. */

describe("the rules of a running program", () => {
  test("are those of the file, and of the file as it is edited", async () => {
    const { path, outcome, messages } = await site(withAction("mute"));
    expect(outcome()).toBe("mute");
    expect(messages()).toEqual(["1 rule read from FILE"]);
    writeFileSync(path, withAction("critical_notify"));
    await eventually(() => expect(outcome()).toBe("critical"));
  });

  test("are those of another file, or none, when the configuration says so", async () => {
    const { path, customize, outcome } = await site(withAction("mute"));
    writeFileSync(`${path}.new`, withAction("critical_notify"));
    customize.es_rules = `${path}.new`;
    await eventually(() => expect(outcome()).toBe("critical"));
    customize.es_rules = null;
    await eventually(() => expect(outcome()).toBe("none"));
    customize.es_rules = path;
    await eventually(() => expect(outcome()).toBe("mute"));
  });

  test("are not waited for in a pipe that nobody writes to", async () => {
    const { path, outcome, messages } = await site(withAction("mute"));
    rmSync(path);
    execFileSync("mkfifo", [path]);
    await eventually(() => expect(messages().join()).toContain("it is not a file"));
    expect(outcome()).toBe("mute");
  });

  test("are taken from a file that replaced the other one, as editors do", async () => {
    const { path, outcome } = await site(withAction("mute"));
    writeFileSync(`${path}.new`, withAction("critical_notify"));
    renameSync(`${path}.new`, path);
    await eventually(() => expect(outcome()).toBe("critical"));
  });

  test("stay the last good ones while the file is broken, which is said with its line", async () => {
    const { path, outcome, messages } = await site(withAction("mute"));
    writeFileSync(path, `${withAction("critical_notify")}        - action: silent\n`);
    await eventually(() => expect(messages().join()).toContain("the rules that were read before stay"));
    expect(messages()[1]).toMatch(/^FILE:6 monitors 4, rule 2: action: expected mute/);
    expect(outcome()).toBe("mute");
    writeFileSync(path, withAction("critical_notify"));
    await eventually(() => expect(outcome()).toBe("critical"));
  });

  test("stay when the file goes away", async () => {
    const { path, outcome, messages } = await site(withAction("mute"));
    rmSync(path);
    await eventually(() => expect(messages().join()).toContain("it does not exist"));
    expect(outcome()).toBe("mute");
    expect(messages().filter((text) => text.includes("does not exist"))).toHaveLength(1);
  });

  test("begin when the file appears after the start", async () => {
    const { path, outcome } = await site(null);
    expect(outcome()).toBe("none");
    writeFileSync(path, withAction("mute"));
    await eventually(() => expect(outcome()).toBe("mute"));
  });

  test("of a file that is broken at the start are those that can be read, up to the mistake", async () => {
    const broken = withAction("mute").replace("- action", "- from: 25:00\n          action");
    const { outcome, rules, messages } = await site(`${broken}    5: { rules: [{ action: mute }] }\n`);
    expect(outcome()).toBe("none");
    expect(rules.current().monitors.get(5)).toHaveLength(1);
    expect(messages().at(-1)).toBe("FILE is broken: only what could be read is in force");
  });

  test("are read at once when asked", async () => {
    const { path, outcome, rules } = await site(withAction("mute"));
    writeFileSync(path, withAction("notify"));
    await rules.reload();
    expect(outcome()).toBe("none");
  });

  test("are none where no file is named", async () => {
    const rules = createRules({
      customize: { es_rules: null },
      clock: systemClock,
      logger: recordingLogger([]),
    });
    await rules.start(new AbortController().signal);
    expect(rules.current().all).toEqual([]);
    await rules.stop();
  });
});
