import { copyFileSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { MqttOptions } from "../../../src/channels/mqtt/options.ts";
import { aMonitor, anAlarm, mid } from "../../support/builders.ts";
import { makeCertificate, type TestCertificate } from "../../support/certificates.ts";
import {
  type Mosquitto,
  type MosquittoOptions,
  mosquittoMayBeSkipped,
  startMosquitto,
} from "../../support/mosquitto.ts";
import { aChannel, aNotice, newsOf, noSignal, type TestChannel } from "../../support/mqtt-channel.ts";
import { type Listener, listenTo } from "../../support/mqtt-listener.ts";

const WAIT = { timeout: 15_000, interval: 20 };
const LOGIN = { username: "zmes", password: "s3cret-of-the-broker" };

describe.skipIf(mosquittoMayBeSkipped())("the MQTT channel at brokers with TLS and logins", () => {
  let certificate: TestCertificate;
  let broker: Mosquitto | null = null;
  let listener: Listener | null = null;
  let channel: TestChannel | null = null;

  beforeAll(() => {
    certificate = makeCertificate();
  });
  afterAll(() => certificate.remove());
  afterEach(async () => {
    await channel?.stop();
    await listener?.stop();
    await broker?.stop();
    channel = listener = broker = null;
  });

  const tls = () => ({ cert: certificate.cert, key: certificate.key });

  async function at(
    options: MosquittoOptions,
    config: (port: number) => Partial<MqttOptions>,
    change: Omit<NonNullable<Parameters<typeof aChannel>[1]>, "config"> = {},
  ): Promise<TestChannel> {
    broker = await startMosquitto(options);
    channel = aChannel(broker.port, { ...change, config: config(broker.port) });
    await channel.start(noSignal());
    channel.monitorsChanged(newsOf([aMonitor()]));
    return channel;
  }

  const isConnected = () => vi.waitFor(() => expect(channel?.isConnected()).toBe(true), WAIT);

  test("TLS with an authority of one's own needs no login", async () => {
    await at({ tls: tls() }, () => ({ tls_ca: certificate.cert }));
    await isConnected();
    await channel?.deliver(aNotice(anAlarm()), noSignal());
  });

  test("a certificate nobody vouches for is refused, and believed with tls_insecure", async () => {
    const found = await at({ tls: tls() }, (port) => ({ server: `mqtts://localhost:${port}` }));
    await vi.waitFor(() => expect(found.log()).toMatch(/cannot be used: .*self-signed certificate/), WAIT);
    expect(found.isConnected()).toBe(false);
    await found.stop();
    channel = aChannel(0, { config: { server: `mqtts://localhost:${broker?.port}`, tls_insecure: true } });
    await channel.start(noSignal());
    await isConnected();
  });

  test("a broker that wants a certificate of the client gets ours", async () => {
    const options = { tls: { ...tls(), clientCa: certificate.cert } };
    await at(options, () => ({
      tls_ca: certificate.cert,
      tls_cert: certificate.cert,
      tls_key: certificate.key,
    }));
    await isConnected();
  });

  test("a file that cannot be read is said once, and the next attempt reads it again", async () => {
    const found = await at({ tls: tls() }, () => ({ tls_ca: `${certificate.folder}/missing.pem` }));
    await vi.waitFor(() => expect(found.log()).toMatch(/mqtt\.tls_ca .*missing\.pem cannot be read/), WAIT);
    await vi.waitFor(() => expect(found.log()).toMatch(/"level":20.*cannot be read/), WAIT);
    copyFileSync(certificate.cert, `${certificate.folder}/missing.pem`);
    await isConnected();
    expect(found.log().match(/"level":40/g)).toHaveLength(1);
  });

  test.each(["ws", "wss"])("a broker behind a WebSocket is reached by %s://", async (scheme) => {
    const secure = scheme === "wss";
    await at({ websockets: true, ...(secure && { tls: tls() }) }, (port) => ({
      server: `${scheme}://localhost:${port}/mqtt`,
      tls_ca: secure ? certificate.cert : null,
    }));
    await isConnected();
    await channel?.deliver(aNotice(anAlarm()), noSignal());
  });

  test("user and password are used without TLS, and may stand in the address", async () => {
    await at({ login: LOGIN }, () => LOGIN);
    await isConnected();
    await channel?.stop();
    const server = `mqtt://${LOGIN.username}:${LOGIN.password}@127.0.0.1:${broker?.port}`;
    channel = aChannel(0, { config: { server } });
    await channel.start(noSignal());
    await isConnected();
    expect(channel.log()).not.toContain(LOGIN.password);
    expect(channel.recipients()[0]?.label).toBe(`broker 127.0.0.1:${broker?.port}`);
  });

  test.each(["3.1.1", "5"] as const)(
    "a wrong password is said in the log without the password (MQTT %s)",
    async (protocol) => {
      const wrong = { username: "zmes", password: "not-that-one" };
      const found = await at({ login: LOGIN }, () => ({ ...wrong, protocol }));
      await vi.waitFor(() => expect(found.log()).toMatch(/cannot be used: .*authorized/i), WAIT);
      const failure = await found.deliver(aNotice(anAlarm()), noSignal()).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ failure: "retry" });
      expect(`${found.log()} ${String(failure)}`).not.toContain("not-that-one");
    },
  );

  test("what the broker forbids with MQTT 5 is rejected in its words, on the old topic", async () => {
    const acl = ["user zmes", "topic readwrite zmes/#"];
    const found = await at({ login: LOGIN, acl }, () => ({ ...LOGIN, protocol: "5" }));
    await isConnected();
    const failure = await found.deliver(aNotice(anAlarm()), noSignal()).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      failure: "rejected",
      message: expect.stringContaining("Not authorized"),
    });
  });

  test("the rights that the page names are enough", async () => {
    const page = readFileSync(new URL("../../../docs/mqtt.md", import.meta.url), "utf8");
    const rights = /^user zmes\n(?:topic .*\n)+/m.exec(page)?.[0].replaceAll("<server name>", "test");
    const acl = `${rights}\nuser boss\ntopic readwrite #`.split("\n");
    const mutes = { isMuted: () => false, set: () => undefined };
    const found = await at({ login: LOGIN, acl }, () => ({ ...LOGIN, protocol: "5" }), { mutes });
    await vi.waitFor(() => expect(broker?.log()).toContain("zmes/test/monitor/+/mute/set"), WAIT);
    await found.deliver(aNotice(anAlarm()), noSignal());
    await found.stop();
    expect(found.log()).not.toMatch(/does not take|refuses/);
    expect(broker?.log()).not.toContain("Denied PUBLISH");
  });

  test("a broker that allows only the old topics still gets the alarms", async () => {
    const acl = ["user zmes", "topic readwrite zoneminder/#"];
    const found = await at({ login: LOGIN, acl }, () => ({ ...LOGIN, protocol: "5" }));
    await isConnected();
    expect(await found.deliver(aNotice(anAlarm()), noSignal())).toContain("accepted");
    await vi.waitFor(
      () => expect(found.log()).toMatch(/does not take zmes\/test\/monitor\/1\/event: .*authorized/),
      WAIT,
    );
  });

  describe("commands and pictures", () => {
    const picture = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 0xff, 0xd9]);
    const readPicture = async () => picture;
    let muted: Set<number>;

    async function withMutes(options: MosquittoOptions, config: Partial<MqttOptions>): Promise<TestChannel> {
      muted = new Set();
      const mutes = {
        isMuted: (id: number) => muted.has(id),
        set: (id: number, is: boolean) => void (is ? muted.add(id) : muted.delete(id)),
      };
      const found = await at(options, () => config, { mutes, readPicture });
      listener = await listenTo(broker?.port ?? 0, options.login ? LOGIN : {});
      return found;
    }
    const discovered = async () => {
      const topic = "homeassistant/device/zmes_test/monitor_1/config";
      await vi.waitFor(() => expect(listener?.last(topic)).not.toBeNull(), WAIT);
      return JSON.parse(listener?.last(topic) ?? "").components;
    };

    test("a broker that asks for a login may mute a camera, and sees that it is muted", async () => {
      await withMutes({ login: LOGIN }, LOGIN);
      expect((await discovered()).mute.command_topic).toBe("zmes/test/monitor/1/mute/set");
      await vi.waitFor(() => expect(listener?.last("zmes/test/monitor/1/mute")).toBe("OFF"), WAIT);
      await listener?.say("zmes/test/monitor/1/mute/set", "ON");
      await vi.waitFor(() => expect(listener?.last("zmes/test/monitor/1/mute")).toBe("ON"), WAIT);
      expect(muted).toEqual(new Set([mid(1)]));
      await listener?.say("zmes/test/monitor/1/mute/set", "OFF");
      await vi.waitFor(() => expect(listener?.last("zmes/test/monitor/1/mute")).toBe("OFF"), WAIT);
      expect(muted.size).toBe(0);
    });

    test("nonsense, other cameras and commands the broker has kept are not obeyed", async () => {
      const found = await withMutes({ login: LOGIN }, LOGIN);
      await discovered();
      await listener?.say("zmes/test/monitor/1/mute/set", "perhaps");
      await listener?.say("zmes/test/monitor/99/mute/set", "ON");
      await vi.waitFor(() => expect(found.log()).toContain("it must be ON or OFF"), WAIT);
      await listener?.say("zmes/test/monitor/1/mute/set", "ON", true);
      await vi.waitFor(() => expect(muted).toEqual(new Set([mid(1)])), WAIT);
      muted.clear();
      await found.stop();
      channel = aChannel(broker?.port ?? 0, {
        config: LOGIN,
        mutes: { isMuted: () => false, set: () => muted.add(1) },
      });
      await channel.start(noSignal());
      channel.monitorsChanged(newsOf([aMonitor()]));
      await vi.waitFor(() => expect(listener?.last("zmes/test/status")).toBe("online"), WAIT);
      await listener?.say("zmes/test/monitor/1/mute/set", "nonsense");
      await vi.waitFor(() => expect(channel?.log()).toContain("it must be ON or OFF"), WAIT);
      expect(muted.size).toBe(0);
    });

    test("the last picture is kept by a broker that asks for a login", async () => {
      const found = await withMutes({ login: LOGIN }, LOGIN);
      expect((await discovered()).picture.image_topic).toBe("zmes/test/monitor/1/picture");
      await found.deliver(aNotice(anAlarm()), noSignal());
      await vi.waitFor(() => expect(listener?.last("zmes/test/monitor/1/picture")).not.toBeNull(), WAIT);
      expect(listener?.last("zmes/test/monitor/1/picture")).toBe(picture.toString());
    });

    test.each([
      ["without a login", {}, {}],
      ["that lets guests in beside those with a login", { login: LOGIN, guests: true }, LOGIN],
      [
        "with a login, when both are switched off",
        { login: LOGIN },
        { ...LOGIN, commands: "no", pictures: "no" },
      ],
    ] as const)("a broker %s gets neither switch nor picture", async (_what, options, config) => {
      const found = await withMutes(options, config);
      expect(await discovered()).toMatchObject({
        mute: { platform: "switch" },
        picture: { platform: "image" },
      });
      expect(Object.keys((await discovered()).mute)).toEqual(["platform"]);
      await listener?.say("zmes/test/monitor/1/mute/set", "ON");
      await found.deliver(aNotice(anAlarm()), noSignal());
      await vi.waitFor(() => expect(listener?.on("zoneminder/1")).toHaveLength(1), WAIT);
      expect(muted.size).toBe(0);
      expect(listener?.last("zmes/test/monitor/1/picture")).toBeNull();
    });

    test("whoever insists gets both from a broker without a login", async () => {
      await withMutes({}, { commands: "yes", pictures: "yes" });
      await discovered();
      await vi.waitFor(() => expect(listener?.last("zmes/test/monitor/1/mute")).toBe("OFF"), WAIT);
      await listener?.say("zmes/test/monitor/1/mute/set", "ON");
      await vi.waitFor(() => expect(muted).toEqual(new Set([mid(1)])), WAIT);
    });
  });
});
