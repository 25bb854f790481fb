// The whole daemon and a real broker: a byte in shared memory becomes a message, whatever happens to the broker.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSite, type Site } from "../support/daemon.ts";
import { type Mosquitto, mosquittoMayBeSkipped, startMosquitto } from "../support/mosquitto.ts";
import { aChannel, type TestChannel } from "../support/mqtt-channel.ts";
import { type Listener, listenTo } from "../support/mqtt-listener.ts";

const WAIT = { timeout: 15_000, interval: 20 };

describe.skipIf(mosquittoMayBeSkipped())("an alarm on MQTT", () => {
  let broker: Mosquitto;
  let listener: Listener;
  let channel: TestChannel;
  let site: Site;

  beforeEach(async () => {
    broker = await startMosquitto();
    listener = await listenTo(broker.port);
    channel = aChannel(broker.port);
    site = createSite(undefined, [channel]);
    await site.start();
    await vi.waitFor(() => expect(listener.last("zmes/test/status")).toBe("online"), WAIT);
  });

  afterEach(async () => {
    await site.remove();
    await listener.stop();
    await broker.stop();
  });

  const events = () => listener.on("zoneminder/1").map(({ text }) => JSON.parse(text).eventid);

  it("is told on the old topic, and motion goes ON and OFF", async () => {
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion:Porch" });
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("ON"), WAIT);
    await vi.waitFor(() => expect(events()).toEqual(["5060"]), WAIT);
    expect(JSON.parse(listener.last("zoneminder/1") ?? "")).toMatchObject({
      monitor: "1",
      name: "Front Door:(5060) Motion:Porch",
    });
    site.cameras[0].endAlarm();
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("OFF"), WAIT);
    expect(listener.last("zmes/test/monitor/2/motion")).toBe("OFF");
  });

  it("that comes while the broker is away is told once it is back, each once and in order", async () => {
    await broker.stopServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(false), WAIT);
    for (const eventId of [1, 2, 3]) {
      site.cameras[0].beginAlarm({ eventId, cause: "" });
      await vi.waitFor(() => expect(site.log.filter(({ msg }) => isNews(msg))).toHaveLength(eventId), WAIT);
    }
    site.cameras[0].endAlarm();
    site.cameras[1].beginAlarm({ eventId: 4, cause: "" });
    await broker.startServer();
    await vi.waitFor(() => expect(events()).toEqual(["1", "2", "3"]), WAIT);
    await vi.waitFor(() => expect(listener.on("zoneminder/2")).toHaveLength(1), WAIT);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("OFF"), WAIT);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/2/motion")).toBe("ON"), WAIT);
    const ids = listener.on("zoneminder/1").map(({ text }) => JSON.parse(text).zmes_id);
    expect(new Set(ids).size).toBe(3);
  });
});

function isNews(message: unknown): boolean {
  return typeof message === "string" && message.startsWith("New event");
}
