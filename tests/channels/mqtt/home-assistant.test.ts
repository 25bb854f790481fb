import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  type DiscoveryContext,
  monitorDiscovery,
  serverDiscovery,
} from "../../../src/channels/mqtt/discovery.ts";
import { ownTopics } from "../../../src/channels/mqtt/topics.ts";
import type { Monitor } from "../../../src/domain/monitor.ts";
import { aMonitor, anAlarm, mid } from "../../support/builders.ts";
import { type Mosquitto, mosquittoMayBeSkipped, startMosquitto } from "../../support/mosquitto.ts";
import { aChannel, aNotice, newsOf, noSignal, type TestChannel } from "../../support/mqtt-channel.ts";
import { type Listener, listenTo } from "../../support/mqtt-listener.ts";

const WAIT = { timeout: 15_000, interval: 20 };
const schemaFile = new URL(
  "../../fixtures/mqtt/home-assistant-device-discovery.schema.json",
  import.meta.url,
);
const documented = z.fromJSONSchema(JSON.parse(readFileSync(schemaFile, "utf8")));

const context = (serverName = "test"): DiscoveryContext => ({
  prefix: "homeassistant",
  serverName,
  version: "8.0.0",
  topics: ownTopics(serverName),
});
const everything = { pictures: true, mute: true };

describe("what Home Assistant is told", () => {
  test.each([
    ["with everything", aMonitor(), everything],
    ["with motion and events alone", aMonitor(), { pictures: false, mute: false }],
    ["without a name", aMonitor({ name: "" }), everything],
    ["with a name of all sorts", aMonitor({ name: 'Tür "7" / garden+#' }), everything],
  ])("a camera %s is told in documented fields only", (_what, monitor, offered) => {
    const message: unknown = JSON.parse(monitorDiscovery(monitor, offered, context("Größe/1 a.b")));
    expect(documented.safeParse(message).error).toBeUndefined();
  });

  test("the server is told in documented fields only", () => {
    expect(documented.safeParse(JSON.parse(serverDiscovery(context()))).error).toBeUndefined();
  });

  test("the schema refuses what is not documented", () => {
    const message = JSON.parse(monitorDiscovery(aMonitor(), everything, context()));
    message.components.motion.statetopic = "typo";
    expect(documented.safeParse(message).success).toBe(false);
    expect(documented.safeParse({ ...message, device: {} }).success).toBe(false);
  });

  test("unique ids and entity ids differ between cameras, parts and servers", () => {
    const ids = ["one", "two"].flatMap((server) => [
      ...partsOf(serverDiscovery(context(server))),
      ...[1, 2, 12].flatMap((id) =>
        partsOf(monitorDiscovery(aMonitor({ id: mid(id) }), everything, context(server))),
      ),
    ]);
    expect(ids).toHaveLength(2 * (2 + 3 * 4));
    expect(new Set(ids.map((part) => part.unique_id)).size).toBe(ids.length);
    expect(new Set(ids.map((part) => part.default_entity_id)).size).toBe(ids.length);
    expect(new Set(ids.map((part) => `${part.platform}.${part.object_id}`))).toEqual(
      new Set(ids.map((part) => part.default_entity_id)),
    );
  });

  test("a camera is unavailable with the server, while the server's connectivity becomes off", () => {
    const camera = JSON.parse(monitorDiscovery(aMonitor(), everything, context()));
    const server = JSON.parse(serverDiscovery(context()));
    expect(camera.availability).toEqual([{ topic: "zmes/test/status" }]);
    expect(camera.device.via_device).toBe(server.device.identifiers[0]);
    expect(server.availability).toBeUndefined();
    expect(server.components.connectivity).toMatchObject({
      state_topic: "zmes/test/status",
      payload_on: "online",
      payload_off: "offline",
    });
    expect(server.components.version.availability).toEqual(camera.availability);
  });
});

describe.skipIf(mosquittoMayBeSkipped())("Home Assistant at a real broker", () => {
  const CAMERA = "homeassistant/device/zmes_test/monitor_1/config";
  const SECOND = "homeassistant/device/zmes_test/monitor_2/config";
  const SERVER = "homeassistant/device/zmes_test/server/config";
  let broker: Mosquitto;
  let listener: Listener;
  let channel: TestChannel;
  let monitors: readonly Monitor[];

  beforeEach(async () => {
    broker = await startMosquitto();
    listener = await listenTo(broker.port);
    monitors = [aMonitor(), aMonitor({ id: mid(2), name: "Door" })];
  });

  afterEach(async () => {
    await channel.stop();
    await listener.stop();
    await broker.stop();
  });

  async function started(config = {}, isComplete = true): Promise<void> {
    channel = aChannel(broker.port, { config });
    await channel.start(noSignal());
    channel.monitorsChanged(newsOf(monitors, { isComplete }));
    await vi.waitFor(() => expect(listener.on("zmes/test/status").at(-1)?.text).toBe("online"), WAIT);
  }
  const isThere = (topic: string) => vi.waitFor(() => expect(listener.last(topic)).not.toBeNull(), WAIT);
  const isGone = (topic: string) => vi.waitFor(() => expect(listener.on(topic).at(-1)?.text).toBe(""), WAIT);

  test("cameras and server are announced, kept by the broker, and their topics carry what was announced", async () => {
    await started();
    for (const topic of [CAMERA, SECOND, SERVER]) await isThere(topic);
    const { components } = JSON.parse(listener.last(CAMERA) ?? "");
    await channel.deliver(aNotice(anAlarm()), noSignal());
    channel.stateChanged([anAlarm()]);
    await vi.waitFor(() => expect(listener.last(components.motion.state_topic)).toBe("ON"), WAIT);
    const event = JSON.parse(listener.last(components.event.state_topic) ?? "");
    expect(components.event.event_types).toContain(event.event_type);
    const server = JSON.parse(listener.last(SERVER) ?? "").components;
    expect(listener.last(server.version.state_topic)).toBe("8.0.0");
    expect(listener.last(server.connectivity.state_topic)).toBe(server.connectivity.payload_on);
    const later = await listenTo(broker.port);
    await vi.waitFor(() => expect(later.last(CAMERA)).not.toBeNull(), WAIT);
    await later.stop();
  });

  test("when Home Assistant starts, everything is announced again", async () => {
    await started();
    await isThere(SERVER);
    const before = listener.on(CAMERA).length;
    await listener.say("homeassistant/status", "offline");
    await listener.say("homeassistant/status", "online");
    await vi.waitFor(() => expect(listener.on(CAMERA)).toHaveLength(before + 1), WAIT);
  });

  test("a broker that has forgotten everything is told again after its restart", async () => {
    await started();
    await isThere(SERVER);
    await broker.stopServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(false), WAIT);
    const before = listener.on(SERVER).length;
    await broker.startServer();
    await vi.waitFor(() => expect(listener.on(SERVER).length).toBeGreaterThan(before), WAIT);
    await vi.waitFor(() => expect(listener.on("zmes/test/status").at(-1)?.text).toBe("online"), WAIT);
  });

  test("a camera that goes is removed with its states, and one that comes is announced", async () => {
    await started();
    await isThere(SECOND);
    monitors = [aMonitor(), aMonitor({ id: mid(3), name: "New" })];
    channel.monitorsChanged(newsOf(monitors));
    await isGone(SECOND);
    await isGone("zmes/test/monitor/2/motion");
    await isThere("homeassistant/device/zmes_test/monitor_3/config");
    expect(listener.last(CAMERA)).not.toBeNull();
  });

  test("a camera with a new name is announced again", async () => {
    await started();
    await isThere(CAMERA);
    monitors = [aMonitor({ name: "Workshop" })];
    channel.monitorsChanged(newsOf(monitors));
    await vi.waitFor(
      () => expect(JSON.parse(listener.last(CAMERA) ?? "{}").device?.name).toBe("Workshop"),
      WAIT,
    );
  });

  test("a camera that went while zmes was not running is removed at the next start", async () => {
    await started();
    await isThere(SECOND);
    await channel.stop();
    monitors = [aMonitor()];
    await started();
    await isGone(SECOND);
    await isGone("zmes/test/monitor/2/motion");
  });

  test("a list that is only guessed removes nobody", async () => {
    await started();
    await isThere(SECOND);
    await channel.stop();
    monitors = [];
    await started({}, false);
    monitors = [aMonitor()];
    channel.monitorsChanged(newsOf(monitors, { isComplete: false }));
    channel.stateChanged([anAlarm()]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("ON"), WAIT);
    expect(listener.last(SECOND)).not.toBeNull();
    channel.monitorsChanged(newsOf(monitors));
    await isGone(SECOND);
  });

  test("with home_assistant switched off, what an earlier run announced is removed and motion stays", async () => {
    await started();
    await isThere(SERVER);
    await channel.stop();
    await started({ home_assistant: false });
    for (const topic of [CAMERA, SECOND, SERVER]) await isGone(topic);
    expect(listener.last("zmes/test/monitor/2/motion")).toBe("OFF");
  });

  test("the devices of others are left alone", async () => {
    const foreign = [
      "homeassistant/device/zmes_other/monitor_9/config",
      "homeassistant/device/lamp/config",
      "homeassistant/binary_sensor/x/config",
    ];
    for (const topic of foreign) await listener.say(topic, "{}", true);
    await started({ home_assistant: false });
    channel.stateChanged([anAlarm()]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("ON"), WAIT);
    for (const topic of foreign) expect(listener.last(topic)).toBe("{}");
  });
});

interface Part {
  readonly platform: string;
  readonly unique_id: string;
  readonly object_id: string;
  readonly default_entity_id: string;
}

function partsOf(message: string): Part[] {
  return Object.values(JSON.parse(message).components);
}
