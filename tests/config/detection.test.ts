import { describe, expect, it } from "vitest";
import { load } from "./temporary-files.ts";

const hookOf = (text: string) => load("zmes.yml", text).config.hook;
const warningsOf = (text: string) => load("zmes.yml", text).warnings.join("\n");

describe("the built-in detector", () => {
  it("tells everybody what it found, without further settings", () => {
    expect(hookOf("detection:\n  enable: yes\n")).toMatchObject({
      use_hook_description: true,
      event_start_notify_on_hook_success: ["all"],
      event_start_notify_on_hook_fail: [],
      event_end_notify_on_hook_success: [],
    });
    expect(hookOf("detection:\n  enable: yes\n  at_end: yes\n").event_end_notify_on_hook_success).toEqual([
      "all",
    ]);
  });

  it("leaves what is set as it is", () => {
    const set = `hook:
  use_hook_description: no
  event_start_notify_on_hook_success: [fcm]
  event_end_notify_on_hook_success: [none]
detection:
  enable: yes
  at_end: yes
`;
    expect(hookOf(set)).toMatchObject({
      use_hook_description: false,
      event_start_notify_on_hook_success: ["fcm"],
      event_end_notify_on_hook_success: ["none"],
    });
  });

  it("changes nothing while it is off", () => {
    expect(hookOf("detection:\n  enable: no\n")).toMatchObject({
      use_hook_description: false,
      event_start_notify_on_hook_success: [],
    });
  });

  it("warns of scripts that it replaces, by name and line, and of nothing else", () => {
    const both = "hook:\n  event_start_hook: /a\n  event_end_hook: /b\ndetection:\n  enable: yes\n";
    expect(warningsOf(both)).toMatch(/:2 hook.event_start_hook: this script is not run/);
    expect(warningsOf(both)).not.toMatch(/event_end_hook: this/);
    expect(warningsOf(`${both}  at_end: yes\n`)).toMatch(/:3 hook.event_end_hook: this script is not run/);
  });
});
