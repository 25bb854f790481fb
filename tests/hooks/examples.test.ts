import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Hooks } from "../../src/hooks/hooks.ts";
import { anAlarm } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { createHookSite, type HookSite } from "./scripts.ts";

let site: HookSite | null = null;
afterEach(() => site?.stop());

const example = (name: string) => new URL(`../../examples/hooks/${name}`, import.meta.url).pathname;
const ask = (hooks: Hooks, cause: string) => hooks.enter(anAlarm())(anAlarm({ cause }));

it("the example in sh tells of the zones it is given", async () => {
  site = createHookSite();
  const hooks = site.hooks({ event_start_hook: `${example("hook.sh")} Front,Drive` });
  expect(await ask(hooks, "Motion Drive")).toMatchObject({
    result: 0,
    text: "zone:Drive",
    json: { labels: ["Drive"] },
  });
  expect(await ask(hooks, "Motion Back")).toMatchObject({ result: 1, text: "" });
});

it("the example in Python finds the picture of the event", async () => {
  const first = createHookSite();
  const folder = join(first.folder, "5060");
  mkdirSync(folder);
  writeFileSync(join(folder, "alarm.jpg"), "12345");
  site = createHookSite(folder);
  const hooks = site.hooks({ event_start_hook: example("hook.py"), hook_pass_image_path: true });
  expect(await ask(hooks, "Motion")).toMatchObject({
    text: "[a] detected:picture Motion",
    json: { file: "alarm.jpg", bytes: 5 },
  });
});

it("the example in JavaScript tells what a detector found", async () => {
  site = createHookSite();
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end('{"labels": ["person", "car"]}'));
  }).listen(0, "127.0.0.1");
  await eventually(() => expect(server.listening).toBe(true));
  const { port } = server.address() as AddressInfo;
  const command = `'${process.execPath}' ${example("hook.mjs")} http://127.0.0.1:${port}/`;
  const answer = await ask(site.hooks({ event_start_hook: command }), "Motion");
  server.close();
  expect(answer).toMatchObject({ text: "detected:person,car", json: { labels: ["person", "car"] } });
});

it("the example of a user script notes what the hook said", async () => {
  site = createHookSite();
  const file = join(site.folder, "log");
  const hooks = site.hooks({
    event_start_hook: `${example("hook.sh")} Front`,
    event_start_hook_notify_userscript: `/usr/bin/env ZMES_EXAMPLE_LOG=${file} ${example("user-script.sh")}`,
  });
  await ask(hooks, "Front");
  await eventually(() =>
    expect(readFileSync(file, "utf8")).toContain('result 0: zone:Front {"labels": ["Front"]}'),
  );
});
