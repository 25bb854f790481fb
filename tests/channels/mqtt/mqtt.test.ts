import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeliveryError } from "../../../src/channels/channel.ts";
import type { Monitor } from "../../../src/domain/monitor.ts";
import { aMonitor, anAlarm, eid, mid } from "../../support/builders.ts";
import { type Mosquitto, mosquittoMayBeSkipped, startMosquitto } from "../../support/mosquitto.ts";
import { aChannel, aNotice, newsOf, noSignal, type TestChannel } from "../../support/mqtt-channel.ts";
import { type Listener, listenTo } from "../../support/mqtt-listener.ts";

const WAIT = { timeout: 15_000, interval: 20 };

describe.skipIf(mosquittoMayBeSkipped())("the MQTT channel at a real broker", () => {
  let broker: Mosquitto;
  let listener: Listener;
  let channel: TestChannel;

  beforeEach(async () => {
    broker = await startMosquitto();
    listener = await listenTo(broker.port);
  });

  afterEach(async () => {
    await channel.stop();
    await listener.stop();
    await broker.stop();
  });

  async function started(
    change: Parameters<typeof aChannel>[1] = {},
    monitors: readonly Monitor[] = [aMonitor()],
    status = "zmes/test/status",
  ): Promise<void> {
    channel = aChannel(broker.port, change);
    await channel.start(noSignal());
    channel.monitorsChanged(newsOf(monitors));
    await vi.waitFor(() => expect(listener.last(status)).toBe("online"), WAIT);
  }

  const failureOf = (alarm = anAlarm()) =>
    channel.deliver(aNotice(alarm), noSignal()).then(
      () => null,
      (failure: unknown) => failure,
    );

  test("a delivered alarm is on the old topic and on our own, with QoS 1", async () => {
    await started();
    expect(await channel.deliver(aNotice(anAlarm()), noSignal())).toBe(
      `accepted by the MQTT broker 127.0.0.1:${broker.port}`,
    );
    await vi.waitFor(() => expect(listener.on("zmes/test/monitor/1/event")).toHaveLength(1), WAIT);
    const [old] = listener.on("zoneminder/1");
    expect(JSON.parse(old?.text ?? "")).toMatchObject({ name: "Garage:(5060) Motion All", eventid: "5060" });
    expect([old?.qos, old?.retained]).toEqual([1, false]);
    expect(JSON.parse(listener.last("zmes/test/monitor/1/event") ?? "")).toMatchObject({
      event_type: "event_start",
    });
  });

  test("with retain the broker keeps the last alarm of each monitor on the old topic, and no event", async () => {
    await started({ config: { retain: true, topic: "house/cams/" } });
    await channel.deliver(aNotice(anAlarm()), noSignal());
    const late = await listenTo(broker.port);
    await vi.waitFor(() => expect(late.on("house/cams/1")).toHaveLength(1), WAIT);
    expect(late.on("house/cams/1")[0]?.retained).toBe(true);
    expect(late.on("zmes/test/monitor/1/event")).toEqual([]);
    await late.stop();
  });

  test("with MQTT 5 the id is a user property as well, the same each time the notice is sent", async () => {
    await started({ config: { protocol: "5" } });
    const notice = aNotice(anAlarm());
    await channel.deliver(notice, noSignal());
    await channel.deliver(notice, noSignal());
    await vi.waitFor(() => expect(listener.on("zoneminder/1")).toHaveLength(2), WAIT);
    expect(listener.on("zoneminder/1").map(({ id }) => id)).toEqual(["1:5060:1/mqtt", "1:5060:1/mqtt"]);
    expect(new Set(listener.on("zoneminder/1").map(({ text }) => JSON.parse(text).zmes_id))).toEqual(
      new Set(["1:5060:1/mqtt"]),
    );
  });

  test("while the broker is away a delivery fails with retry and nothing is kept in memory for it", async () => {
    await started();
    await broker.stopServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(false), WAIT);
    const failure = await failureOf();
    expect(failure).toBeInstanceOf(DeliveryError);
    expect(failure).toMatchObject({ failure: "retry" });
    await broker.startServer();
    await vi.waitFor(() => expect(listener.last("zmes/test/status")).toBe("online"), WAIT);
    await channel.deliver(aNotice(anAlarm({ eventId: eid(5061) })), noSignal());
    await vi.waitFor(() => expect(listener.on("zoneminder/1")).toHaveLength(1), WAIT);
    expect(JSON.parse(listener.last("zoneminder/1") ?? "").eventid).toBe("5061");
  });

  test("those who wait for the broker are told when it is back", async () => {
    await started();
    let calls = 0;
    channel.onAvailable?.(() => {
      calls += 1;
    });
    await broker.stopServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(false), WAIT);
    await broker.startServer();
    await vi.waitFor(() => expect(calls).toBe(1), WAIT);
  });

  test("a program that starts before its broker finds it later", async () => {
    await broker.stopServer();
    channel = aChannel(broker.port);
    await channel.start(noSignal());
    expect(await failureOf()).toMatchObject({ failure: "retry" });
    await broker.startServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(true), WAIT);
    expect(await failureOf()).toBeNull();
  });

  test("motion is ON and OFF, kept by the broker", async () => {
    await started({}, [aMonitor(), aMonitor({ id: mid(2) })]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/2/motion")).toBe("OFF"), WAIT);
    channel.stateChanged([anAlarm()]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("ON"), WAIT);
    channel.stateChanged([anAlarm({ phase: "ended" })]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("OFF"), WAIT);
    const late = await listenTo(broker.port);
    await vi.waitFor(() => expect(late.on("zmes/test/monitor/1/motion")).toHaveLength(1), WAIT);
    expect(late.last("zmes/test/monitor/2/motion")).toBe("OFF");
    await late.stop();
  });

  test("an alarm that was running before a restart is ON from the start, until its end is seen", async () => {
    await started();
    channel.monitorsChanged(
      newsOf([aMonitor(), aMonitor({ id: mid(2) })], { wasInAlarm: (id) => id === mid(2) }),
    );
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/2/motion")).toBe("ON"), WAIT);
    expect(listener.last("zmes/test/monitor/1/motion")).toBe("OFF");
    channel.stateChanged([anAlarm({ monitor: aMonitor({ id: mid(2) }), phase: "ended" })]);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/2/motion")).toBe("OFF"), WAIT);
  });

  test("after an outage the state is sent as it is now, not as it was in between", async () => {
    await started();
    await broker.stopServer();
    await vi.waitFor(() => expect(channel.isConnected()).toBe(false), WAIT);
    const before = listener.on("zmes/test/monitor/1/motion").length;
    for (let turn = 0; turn < 20; turn++) {
      channel.stateChanged([anAlarm()]);
      channel.stateChanged([anAlarm({ phase: "ended" })]);
    }
    channel.stateChanged([anAlarm()]);
    await broker.startServer();
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/1/motion")).toBe("ON"), WAIT);
    expect(
      listener
        .on("zmes/test/monitor/1/motion")
        .slice(before)
        .map(({ text }) => text),
    ).not.toContain("OFF");
  });

  test("the last will says offline when the program dies, and the program says so itself when it stops", async () => {
    await started();
    const began = performance.now();
    await channel.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
    await vi.waitFor(() => expect(listener.last("zmes/test/status")).toBe("offline"), WAIT);
    expect(broker.log()).toMatch(/Received DISCONNECT from zmes-test/);

    await started();
    // Whoever takes our client id makes the broker cut our connection without a goodbye.
    const thief = await listenTo(broker.port, { clientId: "zmes-test", reconnectPeriod: 0 });
    const offline = () => listener.on("zmes/test/status").filter(({ text }) => text === "offline");
    await vi.waitFor(() => expect(offline().map(({ retained }) => retained)).toEqual([true, true]), WAIT);
    await thief.stop();
    await vi.waitFor(() => expect(listener.last("zmes/test/status")).toBe("online"), WAIT);
  });

  test("a broker that hangs holds up neither a delivery that is called off nor the end of the program", async () => {
    await started();
    broker.freeze();
    const cut = new AbortController();
    const delivery = channel.deliver(aNotice(anAlarm()), cut.signal).catch((failure: unknown) => failure);
    cut.abort();
    expect(await delivery).toMatchObject({ failure: "retry" });
    const began = performance.now();
    await channel.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
    broker.thaw();
  });

  test("stopping twice, and before anything was started, does no harm", async () => {
    channel = aChannel(broker.port);
    await channel.stop();
    await channel.stop();
    expect(await failureOf()).toMatchObject({ failure: "retry" });
  });

  test("servers that share a broker have topics and client ids of their own, however alike their names", async () => {
    await started({ config: { server_name: "back_yard" } }, [aMonitor()], "zmes/back_yard/status");
    const other = aChannel(broker.port, { config: { server_name: "back yard" } });
    await other.start(noSignal());
    const status = () =>
      listener.heard.find(({ topic }) => /^zmes\/back_yard_\w+\/status$/.test(topic))?.topic;
    await vi.waitFor(() => expect(status()).toBeDefined(), WAIT);
    await other.stop();
    await vi.waitFor(() => expect(listener.last(status() ?? "")).toBe("offline"), WAIT);
    expect(listener.on("zmes/back_yard/status").map(({ text }) => text)).toEqual(["online"]);
    expect(broker.log()).toContain("as zmes-back_yard ");
    expect(broker.log()).toMatch(/as zmes-back_yard_\w{6} /);
  });

  test("hundreds of cameras are announced within what the broker lets be under way at once", async () => {
    const monitors = Array.from({ length: 300 }, (_, index) => aMonitor({ id: mid(index + 1) }));
    await started({ config: { protocol: "5" } }, monitors);
    await vi.waitFor(() => expect(listener.last("zmes/test/monitor/300/motion")).toBe("OFF"), WAIT);
    expect(channel.isConnected()).toBe(true);
    expect(broker.log()).not.toContain("Receive maximum");
  });
});
