/** docs/home-assistant.md names the entities that zmes announces, and its automations can be read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { monitorDiscovery, serverDiscovery } from "../../src/channels/mqtt/discovery.ts";
import { ownTopics } from "../../src/channels/mqtt/topics.ts";
import { aMonitor, mid } from "../support/builders.ts";
import { root } from "../support/docs-pages.ts";

const pages = ["docs/home-assistant.md", "docs/mqtt.md"].map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8"),
}));

const context = { prefix: "homeassistant", serverName: "nvr", version: "8.0.0", topics: ownTopics("nvr") };
const announced = [
  ...[1, 2].map((id) => monitorDiscovery(aMonitor({ id: mid(id) }), { pictures: true, mute: true }, context)),
  serverDiscovery(context),
].flatMap((text) => {
  const { components } = JSON.parse(text) as {
    readonly components: Readonly<Record<string, { readonly default_entity_id: string }>>;
  };
  return Object.values(components).map(({ default_entity_id: id }) => id);
});

test.each(pages)("$path names only entities that are announced", ({ text }) => {
  const named = text.match(/\b[a-z_]+\.zmes_nvr_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((entity) => !announced.includes(entity))).toEqual([]);
});

test("docs/home-assistant.md names every kind of entity", () => {
  const [page] = pages;
  const ofOne = announced.filter((entity) => !entity.includes("monitor_2"));
  expect(ofOne.filter((entity) => !page?.text.includes(`\`${entity}\``))).toEqual([]);
});

test.each(pages)("$path shows automations that have what Home Assistant asks for", ({ text }) => {
  const automations = [...text.matchAll(/^```yml\n([\s\S]*?)^```$/gm)].map((match) => parse(match[1] ?? ""));
  expect(automations.length).toBeGreaterThan(0);
  for (const automation of automations)
    expect(automation).toMatchObject({
      triggers: [{ trigger: expect.any(String) }],
      actions: [{ action: expect.any(String) }],
    });
});
