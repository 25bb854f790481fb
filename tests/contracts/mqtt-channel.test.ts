// The MQTT channel keeps the promises of a channel, at a real broker that asks for a login.
import { describe, expect, vi } from "vitest";
import { mosquittoMayBeSkipped, startMosquitto } from "../support/mosquitto.ts";
import { aChannel } from "../support/mqtt-channel.ts";
import { listenTo } from "../support/mqtt-listener.ts";
import { channelContract } from "./channel.contract.ts";

const LOGIN = { username: "zmes", password: "s3cret-of-the-broker" };
const WAIT = { timeout: 15_000, interval: 20 };

describe.skipIf(mosquittoMayBeSkipped())("at a real broker", () => {
  channelContract("MQTT", ["accepts", "is busy", "hangs"], async () => {
    const broker = await startMosquitto({ login: LOGIN });
    const listener = await listenTo(broker.port, LOGIN);
    const channel = aChannel(broker.port, { config: LOGIN });
    let isAway = false;
    const isConnected = (is: boolean) => vi.waitFor(() => expect(channel.isConnected()).toBe(is), WAIT);
    return {
      channel,
      async play(behaviour) {
        if (isAway) await broker.startServer();
        isAway = false;
        await isConnected(true);
        if (behaviour === "hangs") broker.freeze();
        if (behaviour !== "is busy") return;
        isAway = true;
        await broker.stopServer();
        await isConnected(false);
      },
      retryAfterMs: null,
      accepted: () => listener.on("zoneminder/1").length,
      secrets: [LOGIN.password],
      get log() {
        return channel
          .log()
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line));
      },
      async close() {
        broker.thaw();
        await listener.stop();
        await broker.stop();
      },
    };
  });
});
