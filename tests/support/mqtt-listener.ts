// Somebody at the broker who writes down everything, as Home Assistant or a script would hear it.
import { connectAsync, type IClientOptions, type IPublishPacket } from "mqtt";

interface Heard {
  readonly topic: string;
  readonly text: string;
  /** Published to be kept by the broker. */
  readonly retained: boolean;
  readonly qos: number;
  readonly id: unknown;
  /** The broker says it may have sent this before. */
  readonly again: boolean;
}

export interface Listener {
  readonly heard: readonly Heard[];
  /** Everything heard on that topic. */
  on(topic: string): readonly Heard[];
  /** The newest text on that topic; null when nothing came or it was cleared. */
  last(topic: string): string | null;
  /** Forgets what was heard so far. */
  clear(): void;
  say(topic: string, text: string, retain?: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Connects and hears every topic; what the broker kept comes first. */
export async function listenTo(port: number, options: IClientOptions = {}): Promise<Listener> {
  const client = await connectAsync({
    protocol: "mqtt",
    hostname: "127.0.0.1",
    port,
    reconnectPeriod: 100,
    connectTimeout: 5_000,
    protocolVersion: 5,
    ...options,
  });
  const heard: Heard[] = [];
  client.on("message", (topic: string, payload: Buffer, packet: IPublishPacket) => {
    const id = packet.properties?.userProperties?.zmes_id;
    heard.push({
      topic,
      text: payload.toString(),
      retained: packet.retain === true,
      qos: packet.qos,
      id,
      again: packet.dup,
    });
  });
  // A broker that has forgotten everything is asked again: mqtt.js subscribes anew by itself.
  // `rap`: live messages show as well whether they were published to be kept.
  await client.subscribeAsync("#", { qos: 1, rap: true });
  const on = (topic: string) => heard.filter((each) => each.topic === topic);
  return {
    heard,
    on,
    last: (topic) => on(topic).at(-1)?.text || null,
    clear: () => void heard.splice(0),
    async say(topic, text, retain = false) {
      await client.publishAsync(topic, text, { qos: 1, retain });
    },
    async stop() {
      await client.endAsync(true);
    },
  };
}
