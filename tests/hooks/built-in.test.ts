import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HookOutcome } from "../../src/domain/hook.ts";
import type { BuiltIn } from "../../src/hooks/built-in.ts";
import type { Hooks } from "../../src/hooks/hooks.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { createHookSite, type HookSite } from "./scripts.ts";

let site: HookSite;

beforeEach(() => {
  site = createHookSite("/events/5060");
});
afterEach(() => site.stop());

const found = '[s] detected:person--SPLIT--{"labels": ["person"]}';
const ask = (hooks: Hooks, alarm = anAlarm()): Promise<HookOutcome> => hooks.enter(alarm)(alarm);
const detector = (look: BuiltIn["look"], change: Partial<BuiltIn> = {}): BuiltIn => ({
  atStart: true,
  atEnd: false,
  look,
  ...change,
});
const printing = (printed: string) => detector(async () => ({ printed }));

describe("a detector in place of the script", () => {
  it("says yes with its text and JSON when it found something", async () => {
    expect(await ask(site.hooks({}, false, printing(found)))).toEqual({
      result: 0,
      text: "[s] detected:person",
      json: { labels: ["person"] },
      note: "ran",
    });
  });

  it("says no when it found nothing", async () => {
    expect(await ask(site.hooks({}, false, printing("")))).toMatchObject({
      result: 1,
      text: "",
      note: "ran",
    });
  });

  it("leaves the alarm as it would be without a hook when it could not look, and says why", async () => {
    const hooks = site.hooks(
      {},
      false,
      detector(async () => ({ failed: "it ran out of memory" })),
    );
    expect(await ask(hooks)).toEqual({ result: 1, text: "it ran out of memory", json: null, note: "failed" });
    expect(site.said()).toContain("told as if there were no detector: it ran out of memory");
  });

  it("runs although use_hooks is off, for alarms with an event, except where hooks are skipped", () => {
    const hooks = site.hooks({ hook_skip_monitors: [9] }, false, printing(found));
    expect(hooks.plan(anAlarm())).toBe("run");
    expect(hooks.plan(anAlarm({ eventId: null }))).toBe("none");
    expect(hooks.plan(anAlarm({ monitor: aMonitor({ id: mid(9) }) }))).toBe("skip");
    expect(hooks.plan(anAlarm({ phase: "ended" }))).toBe("none");
  });

  it("looks at ends where it is asked to", async () => {
    const phases: string[] = [];
    const look: BuiltIn["look"] = async ({ phase }) => {
      phases.push(phase);
      return { printed: found };
    };
    const hooks = site.hooks({}, false, detector(look, { atEnd: true }));
    await ask(hooks, anAlarm({ phase: "ended" }));
    expect(phases).toEqual(["ended"]);
  });

  it("is asked instead of the script, and the user's own script gets its answer", async () => {
    const script = site.script(`#!/bin/sh\ntouch ${site.folder}/started\n`);
    const mine = site.script(
      `#!/bin/sh\nprintf '%s|' "$@" > ${site.folder}/mine.part\nmv ${site.folder}/mine.part ${site.folder}/mine\n`,
    );
    const scripts = { event_start_hook: `'${script}'`, event_start_hook_notify_userscript: `'${mine}'` };
    await ask(site.hooks({ ...scripts, hook_pass_image_path: true }, false, printing(found)));
    await eventually(() => expect(existsSync(join(site.folder, "mine"))).toBe(true));
    expect(readFileSync(join(site.folder, "mine"), "utf8")).toBe(
      '0|5060|1|Garage|[s] detected:person|{"labels": ["person"]}|/events/5060|',
    );
    expect(existsSync(join(site.folder, "started"))).toBe(false);
  });

  it("is not asked for an alarm that waited too long behind others of its camera", async () => {
    const look = vi.fn(async () => ({ printed: found }));
    const hooks = site.hooks({ max_wait: 0 }, false, detector(look));
    expect(await ask(hooks)).toMatchObject({ note: "dropped" });
    expect(look).not.toHaveBeenCalled();
  });

  it("is told when the program ends", async () => {
    const look: BuiltIn["look"] = (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ failed: "the program ends" }));
      });
    const hooks = site.hooks({}, false, detector(look));
    const answer = ask(hooks);
    await hooks.stop();
    expect(await answer).toMatchObject({ note: "dropped" });
  });
});
