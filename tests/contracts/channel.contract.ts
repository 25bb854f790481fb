// What every durable channel promises, whatever it speaks. A channel's own test calls `channelContract` with itself
// connected to a stand-in of its other side.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../../src/channels/channel.ts";
import { DeliveryError } from "../../src/domain/delivery-error.ts";
import { type Notice, noticeId } from "../../src/domain/notice.ts";
import { anAlarm, eid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";

/** What the other side can be made to do with the next attempts. "hang": it takes them and never answers. */
export type OtherSide = "accepts" | "is busy" | "forgot the recipient" | "refuses" | "hangs";

export interface ChannelUnderTest {
  /** Not started; reaches at least one recipient. */
  readonly channel: Channel;
  /** From now on the other side behaves like this. */
  play(behaviour: OtherSide): void | Promise<void>;
  /** The ms it asks to wait when it is busy; null when it has no way to say so. */
  readonly retryAfterMs: number | null;
  /** How many messages the other side has accepted. */
  accepted(): number;
  /** Texts that must never be logged: tokens, keys, passwords. */
  readonly secrets: readonly string[];
  /** Every log line so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

/** `plays`: what the other side is able to do; a broker cannot forget a recipient, say. */
export function channelContract(
  name: string,
  plays: readonly OtherSide[],
  setUp: () => Promise<ChannelUnderTest>,
): void {
  describe(`as a channel, ${name}`, () => {
    let it: ChannelUnderTest;
    beforeEach(async () => {
      it = await setUp();
      await it.channel.start(new AbortController().signal);
    });
    afterEach(async () => {
      await it.channel.stop();
      await it.close();
    });

    test("delivers a notice, and says so in a few words", async () => {
      const words = await it.channel.deliver(noticeTo(it.channel), new AbortController().signal);
      expect(words).toMatch(/\S/);
      await eventually(() => expect(it.accepted()).toBe(1));
    });

    test("delivers as many notices at once as it says", async () => {
      const count = Math.min(it.channel.concurrency, 20);
      const notices = Array.from({ length: count }, (_, index) => noticeTo(it.channel, 5060 + index));
      const { signal } = new AbortController();
      await Promise.all(notices.map((notice) => it.channel.deliver(notice, signal)));
      await eventually(() => expect(it.accepted()).toBe(count));
    });

    const hanging = plays.filter((each) => each === "hangs");
    test.each(hanging)(
      "ends an attempt as soon as its signal says so when the other side %s",
      async (how) => {
        await it.play(how);
        const abort = new AbortController();
        const attempt = it.channel.deliver(noticeTo(it.channel), abort.signal);
        attempt.catch(() => undefined);
        const begun = performance.now();
        abort.abort(new Error("enough"));
        await expect(attempt).rejects.toThrow();
        expect(performance.now() - begun).toBeLessThan(5_000);
      },
    );

    const failures = [
      ["is busy", "retry"],
      ["forgot the recipient", "gone"],
      ["refuses", "rejected"],
    ] as const;
    const failing = failures.filter(([behaviour]) => plays.includes(behaviour));
    test.each(failing)("fails when the other side %s: %s", async (behaviour, failure) => {
      await it.play(behaviour);
      const error = await it.channel
        .deliver(noticeTo(it.channel), new AbortController().signal)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DeliveryError);
      expect(error).toMatchObject({
        failure,
        ...(failure === "retry" && { retryAfterMs: it.retryAfterMs }),
      });
      expect((error as DeliveryError).message).toMatch(/\S/);
    });

    const busy = plays.filter((each) => each === "is busy");
    test.each(busy)("delivers again after a time when the other side %s", async (how) => {
      const { signal } = new AbortController();
      await it.play(how);
      await it.channel.deliver(noticeTo(it.channel), signal).catch(() => undefined);
      await it.play("accepts");
      await eventually(() => it.channel.deliver(noticeTo(it.channel, 5061), signal));
      await eventually(() => expect(it.accepted()).toBeGreaterThanOrEqual(1));
    });

    test("shows no secret in a log line, an error or the recipients", async () => {
      const said: unknown[] = [it.channel.recipients().map(({ id, label }) => [id, label])];
      for (const behaviour of plays.filter((each) => each !== "hangs")) {
        await it.play(behaviour);
        for (const recipient of it.channel.recipients().slice(0, 1)) {
          const attempt = it.channel.deliver(noticeFor(recipient), new AbortController().signal);
          said.push(await attempt.catch((thrown: unknown) => String(thrown)));
        }
      }
      const text = JSON.stringify([said, it.log]);
      for (const secret of it.secrets) expect(text).not.toContain(secret);
    });

    test("has recipients with stable ids and a label", () => {
      const first = it.channel.recipients();
      expect(first.length).toBeGreaterThan(0);
      expect(it.channel.recipients().map(({ id }) => id)).toEqual(first.map(({ id }) => id));
      for (const { label, channel } of first) {
        expect(label).toMatch(/\S/);
        expect(channel).toBe(it.channel.name);
      }
    });

    test("may be stopped twice", async () => {
      await it.channel.stop();
      await it.channel.stop();
    });
  });
}

function noticeTo(channel: Channel, event = 5060): Notice {
  const [recipient] = channel.recipients();
  if (recipient === undefined) throw new Error("The channel reaches nobody");
  return noticeFor(recipient, event);
}

function noticeFor(recipient: ReturnType<Channel["recipients"]>[number], event = 5060): Notice {
  const now = Date.now();
  const alarm = anAlarm({ eventId: eid(event), seenAt: now });
  return {
    id: noticeId(alarm, recipient.id),
    channel: recipient.channel,
    recipient: recipient.id,
    alarm,
    createdAt: now,
    expiresAt: now + 60_000,
  };
}
