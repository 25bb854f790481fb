// Against a broker made of bytes, which does what no mosquitto does: it takes little at once, or acknowledges nothing.
import { createServer, type Server, type Socket } from "node:net";
import pino from "pino";
import { afterEach, expect, test } from "vitest";
import { MqttLink } from "../../../src/channels/mqtt/link.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { eventually } from "../../support/eventually.ts";

const CONNECT = 1;
const PUBLISH = 3;

interface FakeBroker {
  readonly port: number;
  readonly connections: () => number;
  /** Packet ids of the messages that were received. */
  readonly received: readonly number[];
  acknowledge(id: number): void;
}

let server: Server | null = null;
let link: MqttLink | null = null;

afterEach(async () => {
  await link?.stop();
  server?.close();
});

/** Answers CONNECT with MQTT 5's "receive maximum 3", and publishes only when told to. */
async function startFakeBroker(): Promise<FakeBroker> {
  const received: number[] = [];
  let current: Socket | null = null;
  let connections = 0;
  const started = createServer((socket) => {
    current = socket;
    connections += 1;
    let bytes = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let packet = takePacket(bytes); packet !== null; packet = takePacket(bytes)) {
        bytes = bytes.subarray(packet.length);
        if (packet.type === CONNECT) socket.write(Buffer.from([0x20, 6, 0, 0, 3, 0x21, 0, 3]));
        // The topic is "t": its length, one character, then the packet id.
        if (packet.type === PUBLISH) received.push(packet.body.readUInt16BE(3));
      }
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    connections: () => connections,
    received,
    acknowledge: (id) => void current?.write(Buffer.from([0x40, 2, id >> 8, id & 0xff])),
  };
}

/** MQTT 5, 2.1: type in the upper half of the first byte; lengths below 128 take one byte. */
function takePacket(bytes: Buffer): { type: number; length: number; body: Buffer } | null {
  const length = 2 + (bytes[1] ?? 0);
  if (bytes.length < 2 || bytes.length < length) return null;
  return { type: (bytes[0] ?? 0) >> 4, length, body: bytes.subarray(2, length) };
}

async function linkTo(broker: FakeBroker, ackMs?: number): Promise<MqttLink> {
  const made = new MqttLink({
    connection: async () => ({
      protocol: "mqtt",
      hostname: "127.0.0.1",
      port: broker.port,
      protocolVersion: 5,
    }),
    clientId: "zmes-test",
    will: { topic: "t", payload: "offline", retain: true },
    label: "fake",
    onUp: () => undefined,
    onMessage: () => undefined,
    clock: systemClock,
    logger: pino({ level: "silent" }),
    ...(ackMs !== undefined && { ackMs }),
  });
  link = made;
  made.start();
  await eventually(() => expect(made.isUp()).toBe(true));
  return made;
}

const message = { topic: "t", payload: "x", retain: false };

test("no more messages are under way than the broker takes at once, and each acknowledgement lets one more go", async () => {
  const broker = await startFakeBroker();
  const made = await linkTo(broker);
  const done = Promise.all(Array.from({ length: 12 }, () => made.publish(message)));
  for (let acknowledged = 0; acknowledged < 12; acknowledged++) {
    await eventually(() => expect(broker.received.length).toBe(Math.min(12, acknowledged + 3)));
    broker.acknowledge(broker.received[acknowledged] ?? 0);
  }
  await done;
});

test("a broker that acknowledges nothing is given up, and what was under way fails", async () => {
  const broker = await startFakeBroker();
  const made = await linkTo(broker, 100);
  const outcome = await Promise.allSettled([made.publish(message), made.publish(message)]);
  expect(outcome.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(String(outcome.map((each) => each.status === "rejected" && each.reason))).toContain(
    "it acknowledges nothing",
  );
  await eventually(() => expect(broker.connections()).toBe(2));
});
