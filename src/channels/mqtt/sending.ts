// Messages on their way to the broker: so many at once, each until it is acknowledged, none longer than that.
import type { MqttClient } from "mqtt";
import { reasonOf } from "../../lib/errors.ts";

export interface Outgoing {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly retain: boolean;
  /** User properties; only MQTT 5 carries them. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Why a message was not taken. `code` is the broker's reason code (MQTT 5, 2.4); null when it was not reached. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  readonly code: number | null;

  constructor(message: string, code: number | null = null) {
    super(message);
    this.code = code;
  }
}

export interface Sending {
  /** From now on over this connection, which takes no more than `most` messages at once. */
  open(client: MqttClient, most: number): void;
  /** Resolves when the broker has taken the message; rejects with NotTaken. */
  send(message: Outgoing): Promise<void>;
  /** Everything that has not begun yet fails. */
  dropWaiting(failure: NotTaken): void;
  /** The connection is gone: everything fails. */
  close(failure: NotTaken): void;
  /** Nothing waits for an acknowledgement. */
  isIdle(): boolean;
}

/** What mosquitto takes of one client at once (max_inflight_messages); other brokers take more. */
const WINDOW = 20;

/** A message that waits for its turn or for its acknowledgement. */
interface Pending {
  readonly message: Outgoing;
  settle(failure: NotTaken | null): void;
}

/** `onSilence`: a message was not acknowledged within `ackMs`; such a broker is as good as gone. */
export function createSending(ackMs: number, onSilence: (client: MqttClient) => void): Sending {
  const waiting: Pending[] = [];
  const underWay = new Set<Pending>();
  let client: MqttClient | null = null;
  let window = WINDOW;

  return {
    open(opened, most) {
      client = opened;
      window = Math.min(WINDOW, most);
    },
    send(message) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ message, settle: (failure) => (failure === null ? resolve() : reject(failure)) });
      sendNext();
      return promise;
    },
    dropWaiting(failure) {
      for (const pending of waiting.splice(0)) pending.settle(failure);
    },
    close(failure) {
      client = null;
      for (const pending of [...underWay, ...waiting.splice(0)]) pending.settle(failure);
    },
    isIdle: () => underWay.size === 0,
  };

  function sendNext(): void {
    while (client !== null && underWay.size < window) {
      const next = waiting.shift();
      if (next === undefined) return;
      sendOne(client, next);
    }
  }

  function sendOne(over: MqttClient, { message, settle }: Pending): void {
    const patience = setTimeout(onSilence, ackMs, over);
    const pending: Pending = {
      message,
      settle(failure) {
        clearTimeout(patience);
        underWay.delete(pending);
        settle(failure);
      },
    };
    underWay.add(pending);
    const { topic, payload, retain, properties } = message;
    const options = {
      qos: 1,
      retain,
      ...(properties && { properties: { userProperties: { ...properties } } }),
    } as const;
    over.publish(topic, payload, options, (failure) => {
      pending.settle(failure ? new NotTaken(wordsOf(failure), codeOf(failure)) : null);
      sendNext();
    });
  }
}

/** The words of mqtt.js, Node or the broker, in one line; none of them repeats what we sent. */
export function wordsOf(failure: unknown): string {
  // Node puts several addresses that were tried into an AggregateError without a message.
  const inner = failure instanceof AggregateError ? (failure.errors[0] ?? failure) : failure;
  return reasonOf(inner).replace(/\s+/g, " ").trim() || "no reason given";
}

function codeOf(failure: object): number | null {
  return "code" in failure && typeof failure.code === "number" ? failure.code : null;
}
