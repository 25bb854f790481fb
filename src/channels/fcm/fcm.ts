// The channel to phones: whom it reaches, and one attempt to reach one of them, by Google or by a push proxy.
import { type Device, pushesThisMonth, tokenEnd } from "../../domain/device.ts";
import type { Notice } from "../../domain/notice.ts";
import { maySee } from "../../domain/recipient.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { type Channel, DeliveryError } from "../channel.ts";
import { readServiceAccount } from "./account.ts";
import type { PushDevices } from "./devices.ts";
import { createDirectSender } from "./direct.ts";
import type { FcmMessageOptions } from "./message.ts";
import type { TableDevices } from "./notifications.ts";
import { createRelaySender } from "./relay.ts";
import type { FcmSender, FcmTarget } from "./sender.ts";
import { joinSources } from "./sources.ts";
import { type FcmWayOptions, fcmWay } from "./way.ts";

/** The section `fcm` of the configuration, and `customize.tag_alarm_event_id`. */
export interface FcmOptions extends FcmMessageOptions, FcmWayOptions {
  readonly enable: boolean;
  readonly expires_after: number;
  readonly monthly_cap: number | null;
}

/** The address of a picture the phone of this user can fetch; null when there is none to show. */
export type PictureLink = (notice: Notice, owner: string | null) => Promise<string | null>;

export interface FcmChannelDeps {
  readonly options: FcmOptions;
  /** The phones that registered with this server. */
  readonly devices: PushDevices;
  /** Those of ZoneMinder's own table as well; started and stopped with the channel. */
  readonly table?: TableDevices | null;
  readonly picture: PictureLink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where to send instead, for tests. */
  readonly target?: FcmTarget;
}

/**
 * Without a usable key it still has its recipients: each notice is then refused with the reason, so that `zmes why`
 * can tell it.
 */
export function createFcmChannel(deps: FcmChannelDeps): Channel {
  const { options, table = null, clock, logger } = deps;
  const devices = table === null ? deps.devices : joinSources(deps.devices, table);
  const sender = createFcmSender(options, { clock, target: deps.target ?? {} });
  const reach = createReach(logger);

  return {
    name: "fcm",
    concurrency: sender.concurrency,
    expiresAfterMs: options.expires_after * 1000,
    recipients: () => (options.enable ? devices.recipients() : []),
    async start(signal) {
      if (!options.enable) return;
      await checkAccount(options, logger);
      // The phrases of the original: its debugging chapter tells people to look for them.
      if (fcmWay(options).kind !== "none") logger.info("Push enabled via FCM");
      await table?.start(signal);
    },
    async stop() {
      await table?.stop();
      sender.close();
    },
    async deliver(notice, signal) {
      const device = requireDevice(notice);
      const picture = await findPicture(notice, device.owner);
      const badge = devices.takeBadge(device.id, notice.id);
      logger.debug(`Checking alarm rules for token ending in:...${tokenEnd(device.token, 10)}`);
      logger.debug("Sending notification over PushProxy");
      try {
        const words = await sender.send({ alarm: notice.alarm, device, badge, picture }, signal);
        devices.noteDelivered(device.id, notice.id);
        logger.debug("Pushproxy push message success");
        reach.works();
        return words;
      } catch (failure) {
        if (!(failure instanceof DeliveryError)) throw failure;
        if (failure.failure === "gone") devices.forget(device.id, failure.message);
        else devices.noteFailed(device.id, failure.message);
        if (failure.failure === "retry" && !signal.aborted) reach.fails(failure.message);
        throw failure;
      }
    },
  };

  /** What may have changed since the alarm was decided on, and what speaks against sending at all. */
  function requireDevice(notice: Notice): Device {
    if (!options.enable) throw new DeliveryError("rejected", "push to phones is switched off");
    const device = devices.find(notice.recipient);
    if (device === null && !devices.isRead())
      throw new DeliveryError("retry", "it is not known yet which phones are registered");
    if (device === null) throw new DeliveryError("gone", "the phone is no longer registered");
    if (device.pushState === "disabled")
      throw new DeliveryError("rejected", "the phone switched push off meanwhile");
    // It may be another user's phone by now, and an old notice outlives the rights it was decided with.
    const rights = devices.rightsOf(device.id);
    if (rights === "unknown") throw new DeliveryError("held", "it is not known yet what its user may see");
    const { id } = notice.alarm.monitor;
    if (!maySee(rights, id)) throw new DeliveryError("forbidden", `its user may not see monitor ${id}`);
    const cap = options.monthly_cap;
    if (cap !== null && pushesThisMonth(device.invocations, clock.now()) >= cap) {
      const words = `the phone got its ${cap} push messages of this month (fcm.monthly_cap)`;
      devices.noteFailed(device.id, words);
      throw new DeliveryError("rejected", words);
    }
    return device;
  }

  /** An alarm without its picture is better than none. */
  async function findPicture(notice: Notice, owner: string | null): Promise<string | null> {
    try {
      return await deps.picture(notice, owner);
    } catch (failure) {
      logger.warn({ err: failure }, `Alarm ${notice.alarm.id} is pushed without its picture`);
      return null;
    }
  }
}

/** The sender for the way the configuration names; without one, a sender that says why nothing is sent. */
export function createFcmSender(
  options: FcmMessageOptions & FcmWayOptions,
  { clock, target = {} }: { readonly clock: Clock; readonly target?: FcmTarget },
): FcmSender {
  const way = fcmWay(options);
  switch (way.kind) {
    case "direct":
      return createDirectSender({ file: way.file, options, target, clock });
    case "relay":
      return createRelaySender({ url: way.url, key: way.key, options, target, clock });
    case "none":
      return {
        concurrency: 50,
        send: () => Promise.reject(new DeliveryError("rejected", way.why)),
        close: () => undefined,
      };
  }
}

/** One line when push begins to fail, one when it works again. */
function createReach(logger: Logger) {
  let failing = false;
  return {
    works() {
      if (failing) logger.info("Push messages get through again");
      failing = false;
    },
    fails(words: string) {
      if (!failing) logger.warn(`Push messages do not get through and are tried again: ${words}`);
      else logger.debug(`A push message did not get through: ${words}`);
      failing = true;
    },
  };
}

/** That there is no key at all was said with the configuration; what is in the file is known only now. */
async function checkAccount(options: FcmOptions, logger: Logger): Promise<void> {
  const way = fcmWay(options);
  if (way.kind !== "direct") return;
  try {
    await readServiceAccount(way.file);
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    logger.warn(`${failure.message}. ${failure.hint} [${failure.code}]`);
  }
}
