import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HookOutcome } from "../../src/domain/hook.ts";
import type { Hooks } from "../../src/hooks/hooks.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { createHookSite, type HookSite } from "./scripts.ts";

let site: HookSite;

beforeEach(() => {
  site = createHookSite("/events/5060");
});
afterEach(() => site.stop());

const quoted = (path: string) => `'${path}'`;
const ask = (hooks: Hooks, alarm = anAlarm()): Promise<HookOutcome> => hooks.enter(alarm)(alarm);
const bash = (text: string) => quoted(site.script(`#!/bin/bash\n${text}\n`));
const python = (text: string) => quoted(site.script(`#!/usr/bin/env python3\n${text}\n`));
const node = (text: string) => quoted(site.script(`#!${process.execPath}\n${text}\n`));
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a hook", () => {
  it.each([
    ["bash", () => bash('printf "%s|" "$@"')],
    ["Python", () => python("import sys\nprint('|'.join(sys.argv[1:]) + '|')")],
    ["Node", () => node("process.stdout.write(process.argv.slice(2).join('|') + '|')")],
  ])("in %s is given names and causes made of shell syntax as they are", async (_, script) => {
    const name = `Hof "$(touch ${site.folder}/owned)" \`id\` 'x' ; ü`;
    const alarm = anAlarm({ monitor: aMonitor({ name }), cause: "$HOME && * \\ | > /dev/null" });
    const hooks = site.hooks({ event_start_hook: script(), hook_pass_image_path: true });
    expect((await ask(hooks, alarm)).text).toBe(`5060|1|${name}|${alarm.cause}|/events/5060|`);
    expect(existsSync(join(site.folder, "owned"))).toBe(false);
  });

  it("is split into words as a shell would, and given its own words first", async () => {
    const hooks = site.hooks({ event_start_hook: `${bash('echo "$1:$2:$3"')} --fast "two words"` });
    expect((await ask(hooks)).text).toBe("--fast:two words:5060");
  });

  it("of version 3 is run as well", async () => {
    const hooks = site.hooks({ hook_script: bash("echo yes; exit 0") }, true);
    expect(await ask(hooks)).toMatchObject({ result: 0, text: "yes", note: "ran" });
  });

  it("that sleeps for ever is ended with its children, and the alarm told without it", async () => {
    const pidFile = join(site.folder, "pid");
    const hooks = site.hooks({
      event_start_hook: bash(`sleep 600 & echo $! > ${pidFile}; echo before; wait`),
      timeout: 1,
    });
    expect(await ask(hooks)).toEqual({ result: 1, text: "", json: null, note: "timed-out" });
    const child = Number(readFileSync(pidFile, "utf8"));
    await eventually(() => expect(isAlive(child)).toBe(false));
    expect(hooks.counts()).toMatchObject({ running: 0, waiting: 0, timedOut: 1 });
  });

  it("whose child holds stdout open is not waited for", async () => {
    const started = performance.now();
    const hooks = site.hooks({ event_start_hook: bash("sleep 15 & echo found"), timeout: 20 });
    expect(await ask(hooks)).toMatchObject({ text: "found", result: 0 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("that is killed says no", async () => {
    const hooks = site.hooks({ event_start_hook: bash("echo found; kill -SEGV $$") });
    expect(await ask(hooks)).toMatchObject({ result: 1, note: "ran" });
  });

  it("that prints 10 MB is read to its end and cut", async () => {
    const hooks = site.hooks({ event_start_hook: python("print('x' * 10_000_000)") });
    const { result, text } = await ask(hooks);
    expect([result, text.length]).toEqual([0, 4_000]);
    expect(site.said()).toContain("printed more than");
  });

  it("that prints garbage bytes is read all the same", async () => {
    const hooks = site.hooks({
      event_start_hook: python("import sys, os\nsys.stdout.buffer.write(bytes(range(256)) * 8)"),
    });
    expect((await ask(hooks)).result).toBe(0);
  });

  it("that prints nothing says no", async () => {
    expect(await ask(site.hooks({ event_start_hook: bash("exit 0") }))).toMatchObject({
      result: 1,
      text: "",
    });
  });

  it("that is not there costs the hook, not the alarm, and is said", async () => {
    expect(await ask(site.hooks({ event_start_hook: "/no/such/hook" }))).toMatchObject({ note: "dropped" });
    expect(site.said()).toContain("/no/such/hook could not be started");
  });

  it("has its stderr in the log with the event", async () => {
    await ask(site.hooks({ event_start_hook: bash("echo looking >&2; echo x") }));
    expect(site.said()).toContain("Event 5060 of Garage: the hook said: looking");
  });

  it("is run for ends where one is configured for them", async () => {
    const hooks = site.hooks({ event_end_hook: bash('echo "$4"') });
    expect(hooks.plan(anAlarm())).toBe("none");
    expect(hooks.plan(anAlarm({ phase: "ended" }))).toBe("run");
    expect((await ask(hooks, anAlarm({ phase: "ended", cause: "Motion: All" }))).text).toBe("Motion: All");
  });

  it("is skipped for monitors that are exempt", () => {
    const hooks = site.hooks({ event_start_hook: "/bin/true", hook_skip_monitors: [1] });
    expect(hooks.plan(anAlarm())).toBe("skip");
    expect(hooks.plan(anAlarm({ monitor: aMonitor({ id: mid(2) }) }))).toBe("run");
  });
});

describe("many alarms at once", () => {
  const alarms = Array.from({ length: 12 }, (_, index) =>
    anAlarm({ eventId: eid(index + 1), monitor: aMonitor({ id: mid(index + 1) }) }),
  );

  it("are looked at a few at a time, and all of them", async () => {
    const running = join(site.folder, "running");
    const hooks = site.hooks({
      event_start_hook: bash(
        `mkdir -p ${running}; touch ${running}/$1; ls ${running} | wc -l; sleep 0.1; rm ${running}/$1`,
      ),
      max_parallel_hooks: 3,
    });
    const answers = await Promise.all(alarms.map((alarm) => ask(hooks, alarm)));
    expect(answers.every(({ note }) => note === "ran")).toBe(true);
    expect(Math.max(...answers.map(({ text }) => Number(text)))).toBeLessThanOrEqual(3);
  });

  it("beyond the queue are told without their hook, counted and logged", async () => {
    const hooks = site.hooks({
      event_start_hook: bash("sleep 0.2; echo x"),
      max_parallel_hooks: 1,
      max_waiting: 2,
    });
    const answers = await Promise.all(alarms.map((alarm) => ask(hooks, alarm)));
    expect(answers.filter(({ note }) => note === "ran")).toHaveLength(3);
    expect(hooks.counts()).toMatchObject({ dropped: 9, waiting: 0, running: 0 });
    expect(site.said()).toContain("hook.max_waiting");
  });

  it("wait as many as may also while all places are taken", async () => {
    const hooks = site.hooks({
      event_start_hook: bash("sleep 0.5; echo x"),
      max_parallel_hooks: 1,
      max_waiting: 2,
    });
    const [first, ...others] = alarms.slice(0, 6);
    const running = first && ask(hooks, first);
    await eventually(() => expect(hooks.counts()).toMatchObject({ running: 1, waiting: 0 }));
    const answers = await Promise.all([running, ...others.map((alarm) => ask(hooks, alarm))]);
    expect(answers.filter((answer) => answer?.note === "ran")).toHaveLength(3);
  });

  it("that wait too long are told without their hook", async () => {
    const hooks = site.hooks({
      event_start_hook: bash("sleep 1.5; echo x"),
      max_parallel_hooks: 1,
      max_wait: 1,
    });
    const answers = await Promise.all(alarms.slice(0, 3).map((alarm) => ask(hooks, alarm)));
    expect(answers.map(({ note }) => note)).toEqual(["ran", "dropped", "dropped"]);
  });

  it("may have begun to wait before they take their place", async () => {
    const hooks = site.hooks({ event_start_hook: bash("echo x"), max_wait: 5 });
    const [alarm = anAlarm()] = alarms;
    const now = systemClock.monotonic();
    expect((await hooks.enter(alarm, now - 6_000)(alarm)).note).toBe("dropped");
    expect((await hooks.enter(alarm, now - 1_000)(alarm)).note).toBe("ran");
  });

  it("are told without their hook when the program ends", async () => {
    const hooks = site.hooks({ event_start_hook: bash("sleep 60"), max_parallel_hooks: 1 });
    const answers = Promise.all(alarms.slice(0, 3).map((alarm) => ask(hooks, alarm)));
    await eventually(() => expect(hooks.counts().running).toBe(1));
    await hooks.stop();
    expect((await answers).map(({ note }) => note)).toEqual(["dropped", "dropped", "dropped"]);
    expect(site.said().match(/: the program ends/g)).toHaveLength(3);
  });
});

it("user scripts that hang pile up as far as hooks may, then they are left out and it is said", async () => {
  const hooks = site.hooks({
    event_start_hook: bash("echo x"),
    event_start_hook_notify_userscript: bash("sleep 60"),
    max_parallel_hooks: 1,
    max_waiting: 2,
  });
  for (let event = 1; event <= 5; event++)
    await ask(hooks, anAlarm({ eventId: eid(event), monitor: aMonitor({ id: mid(event) }) }));
  expect(site.said().match(/left out/g)).toHaveLength(2);
});

it("a user script hears result, text and whole JSON, and nobody waits for it", async () => {
  const out = join(site.folder, "out");
  const hooks = site.hooks({
    event_start_hook: bash(`printf '%s' "it's \\$(x)--SPLIT--{\\"a\\": \\"b c\\"}"`),
    event_start_hook_notify_userscript: bash(
      `sleep 0.3; printf '%s\\n' "$@" > ${out}.new; mv ${out}.new ${out}`,
    ),
  });
  expect((await ask(hooks)).json).toEqual({ a: "b c" });
  expect(existsSync(out)).toBe(false);
  await eventually(() => expect(existsSync(out)).toBe(true));
  expect(readFileSync(out, "utf8").split("\n")).toEqual([
    "0",
    "5060",
    "1",
    "Garage",
    "it's $(x)",
    '{"a": "b c"}',
    "",
  ]);
});
