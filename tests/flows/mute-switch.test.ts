// The whole program and a real broker: Home Assistant's switch mutes a camera for sockets, phones and MQTT alike.
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { explainAlarm } from "../../src/delivery/history.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { type ControlledProgram, startControlled } from "../support/controlled-program.ts";
import { type Mosquitto, mosquittoMayBeSkipped, startMosquitto } from "../support/mosquitto.ts";
import { type Listener, listenTo } from "../support/mqtt-listener.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import type { TestClient } from "../support/ws-client.ts";

const WAIT = { timeout: 15_000, interval: 20 };
/** The password is the one that controlled programs have for their broker. */
const LOGIN = { username: "zmes", password: "planted-broker-word" };
const SWITCH = "zmes/test/monitor/1/mute";
const MUTED = "not sent, monitor 1 is muted (escontrol)";

describe.skipIf(mosquittoMayBeSkipped())("the switch of a camera in Home Assistant", () => {
  let broker: Mosquitto;
  let relay: Relay;
  let listener: Listener;
  let program: ControlledProgram;

  beforeEach(async () => {
    broker = await startMosquitto({ login: LOGIN });
    relay = await startRelay();
    listener = await listenTo(broker.port, LOGIN);
    program = await startControlled({
      mqtt: {
        enable: true,
        server: `127.0.0.1:${broker.port}`,
        server_name: "test",
        username: LOGIN.username,
        password: "!BROKER",
      },
      fcm: { enable: true, fcm_v1_url: relay.url, fcm_v1_key: relay.key },
    });
    await switchShows("OFF");
  });

  afterEach(async () => {
    await listener.stop();
    await relay.stop();
    await broker.stop();
  });

  it("keeps an alarm from sockets, phones and MQTT, over a restart as well, until it is moved back", async () => {
    let client = await withPhone();
    await listener.say(`${SWITCH}/set`, "ON");
    await switchShows("ON");
    await nobodyHearsOf(5060, client);

    program.signal("SIGTERM");
    expect(await program.gone()).toBe(0);
    listener.clear();
    await program.again();
    await switchShows("ON");
    client = await program.listen();
    await nobodyHearsOf(5061, client);

    await listener.say(`${SWITCH}/set`, "OFF");
    await switchShows("OFF");
    await everybodyHearsOf(5062, client);
  });

  it("goes to OFF by itself when a mute for a time is over, and the camera is heard again", async () => {
    const client = await withPhone();
    const admin = await program.control();
    admin.send({ event: "escontrol", data: { command: "mute", monitors: [1], minutes: 0.05 } });
    await switchShows("ON");
    await nobodyHearsOf(5060, client);
    await switchShows("OFF");
    await everybodyHearsOf(5061, client);
  });

  const switchShows = (state: string) => vi.waitFor(() => expect(listener.last(SWITCH)).toBe(state), WAIT);

  /** Logs in and registers a phone. */
  async function withPhone(): Promise<TestClient> {
    const client = await program.listen();
    const token = "cGhvbmU:APA91b-long-enough-27a387";
    client.send({ event: "push", data: { type: "token", platform: "android", token, state: "enabled" } });
    client.send({ event: "control", data: { type: "version" } });
    await client.next();
    return client;
  }

  async function nobodyHearsOf(eventId: number, client: TestClient): Promise<void> {
    const [pushed, published, frames] = [relay.accepted.length, alarmsOnMqtt(), client.frames.length];
    program.camera.beginAlarm({ eventId, cause: "Motion" });
    const everybody = [
      `  phone ...27a387: ${MUTED}`,
      `  broker 127.0.0.1:${broker.port}: ${MUTED}`,
      "  sockets: 0 clients told; 1 not: monitor 1 is muted (escontrol)",
    ];
    await vi.waitFor(() => expect(why(eventId)).toEqual(expect.arrayContaining(everybody)), WAIT);
    program.camera.endAlarm();
    expect([relay.accepted.length, alarmsOnMqtt(), client.frames.length]).toEqual([
      pushed,
      published,
      frames,
    ]);
  }

  async function everybodyHearsOf(eventId: number, client: TestClient): Promise<void> {
    const pushed = relay.accepted.length;
    program.camera.beginAlarm({ eventId, cause: "Motion" });
    expect(await client.next()).toMatchObject({ events: [{ EventId: String(eventId) }] });
    await vi.waitFor(() => expect(relay.accepted).toHaveLength(pushed + 1), WAIT);
    await vi.waitFor(() => expect(listener.last("zoneminder/1")).toContain(`"${eventId}"`), WAIT);
  }

  const alarmsOnMqtt = () => listener.on("zoneminder/1").length;

  function why(eventId: number): readonly string[] {
    const file = openHistory(join(program.folder, "data/zmes.db"), { write: false });
    try {
      return file.alarmsOfEvent(eventId).flatMap(explainAlarm);
    } finally {
      file.close();
    }
  }
});
