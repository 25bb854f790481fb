// A durable channel without a network: records what it is given and plays what it is told to.
import type { Channel } from "../../src/channels/channel.ts";
import { DeliveryError } from "../../src/domain/delivery-error.ts";
import type { ChannelName, DurableRecipient, Notice, RecipientId } from "../../src/domain/notice.ts";
import type { LastKnownRights, Recipient } from "../../src/domain/recipient.ts";
import { aRecipient } from "./builders.ts";

/** What the other side does with one attempt; "hang" answers nothing until the signal comes, "later" asks for 50 s. */
export type Answer = "accept" | "busy" | "later" | "gone" | "refuse" | "hold" | "forbid" | "hang" | "crash";

export interface FakeChannel extends Channel {
  /** Every attempt that began, in order. */
  readonly attempts: Notice[];
  /** Every notice that was accepted, in order. */
  readonly accepted: Notice[];
  /** Most attempts that ever ran at once. */
  mostAtOnce: number;
  people: DurableRecipient[];
  /** Decides about each attempt; accepts everything unless changed. */
  answer: (notice: Notice) => Answer | Promise<Answer>;
  /** Calls those who wait for the other side to be back. */
  back(): void;
}

export function createFakeChannel(change: Partial<FakeChannel> = {}): FakeChannel {
  const listeners: (() => void)[] = [];
  let running = 0;
  const channel: FakeChannel = {
    name: "fcm",
    concurrency: 10,
    expiresAfterMs: 3_600_000,
    attempts: [],
    accepted: [],
    mostAtOnce: 0,
    people: [],
    answer: () => "accept",
    start: async () => undefined,
    stop: async () => undefined,
    recipients: () => channel.people,
    async deliver(notice, signal) {
      channel.attempts.push(notice);
      running += 1;
      channel.mostAtOnce = Math.max(channel.mostAtOnce, running);
      try {
        const words = await play(await channel.answer(notice), signal);
        channel.accepted.push(notice);
        return words;
      } finally {
        running -= 1;
      }
    },
    onAvailable: (listener) => void listeners.push(listener),
    back() {
      for (const listener of listeners) listener();
    },
    ...change,
  };
  return channel;
}

export function aPerson(
  name: string,
  { rights = "all", ...preferences }: Partial<Recipient<LastKnownRights>> = {},
  channel: ChannelName = "fcm",
): DurableRecipient {
  return {
    id: `${channel}:${name}` as RecipientId,
    channel,
    label: `phone ...${name}`,
    preferences: { ...aRecipient(preferences), rights },
  };
}

async function play(answer: Answer, signal: AbortSignal): Promise<string> {
  switch (answer) {
    case "accept":
      return "accepted";
    case "busy":
      throw new DeliveryError("retry", "503 try later", 1);
    case "later":
      throw new DeliveryError("retry", "503 try later", 50_000);
    case "gone":
      throw new DeliveryError("gone", "404 UNREGISTERED");
    case "refuse":
      throw new DeliveryError("rejected", "400 INVALID_ARGUMENT");
    case "hold":
      throw new DeliveryError("held", "nobody knows its rights");
    case "forbid":
      throw new DeliveryError("forbidden", "its user may not see it");
    case "crash":
      throw new TypeError("undefined is not a function");
    case "hang": {
      const { promise, reject } = Promise.withResolvers<never>();
      if (signal.aborted) throw signal.reason;
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      return promise;
    }
  }
}
