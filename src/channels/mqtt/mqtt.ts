// The MQTT channel: alarms on the topics of the original and on our own, cameras and states for Home Assistant.
import { hostname } from "node:os";
import type { IClientOptions } from "mqtt";
import type { Alarm } from "../../domain/alarm.ts";
import type { DurableRecipient, Notice, RecipientId } from "../../domain/notice.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { orAborted } from "../../lib/within.ts";
import { type Channel, DeliveryError, type MonitorNews } from "../channel.ts";
import { OFFLINE, ONLINE } from "./discovery.ts";
import { createEntities, type Mutes } from "./entities.ts";
import { MqttLink } from "./link.ts";
import { asksForLogin } from "./login.ts";
import { eventMessage, oldMessage } from "./message.ts";
import {
  type Broker,
  connectionOptions,
  loginOf,
  type MqttOptions,
  type Permission,
  parseBroker,
  tidyTopic,
} from "./options.ts";
import { createPictures } from "./pictures.ts";
import { NotTaken, type Outgoing } from "./sending.ts";
import { createRetainedTopics } from "./state.ts";
import { asIdentifier, ownTopics } from "./topics.ts";

export interface MqttChannelOptions {
  readonly config: MqttOptions;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** JPEG bytes for an alarm, null when there are none; without it there is no picture topic. */
  readonly readPicture?: (alarm: Alarm) => Promise<Buffer | null>;
  /** Without it there is no switch. */
  readonly mutes?: Mutes;
}

export interface MqttChannel extends Channel {
  /** Each beginning and end becomes ON and OFF. */
  stateChanged(alarms: readonly Alarm[]): void;
  monitorsChanged(list: MonitorNews): void;
  /** Mutes changed elsewhere. */
  mutesChanged(): void;
  isConnected(): boolean;
}

/** The one recipient of this channel. */
const RECIPIENT = "mqtt" as RecipientId;
/** Notices under way at once, two messages each: within what brokers take of one client. */
const CONCURRENCY = 8;
/** Reasons (MQTT 5, 2.4) for which no later attempt will be taken: not authorized, topic, size, format. */
const FINAL = new Set([135, 144, 149, 153]);

/** Builds the channel. Nothing is opened before `start`, which does not wait for the broker. */
export function createMqttChannel(options: MqttChannelOptions): MqttChannel {
  const { config, version, clock, logger, mutes, readPicture } = options;
  const broker = brokerOf(config);
  const serverName = config.server_name ?? hostname();
  const clientId = `zmes-${asIdentifier(serverName)}`;
  const topics = ownTopics(serverName);
  const prefix = tidyTopic(config.home_assistant_prefix);
  const refused = new Set<string>();
  const onAvailable: (() => void)[] = [];

  const link = new MqttLink({
    connection: () => withLogin(config, broker),
    clientId,
    will: { topic: topics.status, payload: OFFLINE, retain: true },
    label: broker.label,
    onUp: () => void onUp(),
    onMessage: (topic, payload, retained) => entities.onMessage(topic, payload.toString(), retained),
    clock,
    logger,
  });
  const retained = createRetainedTopics({
    isUp: () => link.isUp(),
    send: (topic, payload) => link.publish({ topic, payload, retain: true }),
    onRefused: warnOnce,
  });
  const entities = createEntities({
    home_assistant: config.home_assistant,
    context: { prefix, serverName, version, topics },
    retained,
    subscribe: (filters) => link.subscribe(filters),
    mutes: mutes ?? null,
    logger,
  });
  const pictures =
    readPicture &&
    createPictures({
      read: readPicture,
      put: (id, bytes) => retained.set(topics.picture(id), bytes),
      logger,
    });
  let showsPictures = false;

  const recipient: DurableRecipient = {
    id: RECIPIENT,
    channel: "mqtt",
    takesUpdates: true,
    label: `broker ${broker.label}`,
    preferences: { monitors: "all", intervals: new Map(), rights: "all", lastTold: new Map() },
  };

  return {
    name: "mqtt",
    concurrency: CONCURRENCY,
    expiresAfterMs: config.expires_after * 1000,
    recipients: () => [recipient],
    async start() {
      retained.set(topics.version, version);
      link.start();
    },
    stop: () => link.stop(),
    deliver,
    onAvailable: (listener) => void onAvailable.push(listener),
    stateChanged: entities.stateChanged,
    monitorsChanged: entities.monitorsChanged,
    mutesChanged: entities.mutesChanged,
    isConnected: () => link.isUp(),
  };

  async function deliver(notice: Notice, signal: AbortSignal): Promise<string> {
    const { alarm } = notice;
    const monitor = alarm.monitor.id;
    const properties = { zmes_id: notice.id };
    const old = { topic: `${tidyTopic(config.topic)}/${monitor}`, payload: oldMessage(notice), properties };
    const own = { topic: topics.event(monitor), payload: eventMessage(notice), properties, retain: false };
    try {
      await orAborted(Promise.all([link.publish({ ...old, retain: config.retain }), sendOwn(own)]), signal);
    } catch (failure) {
      throw asDeliveryError(failure);
    }
    if (showsPictures && alarm.phase !== "ended") pictures?.show(alarm);
    return `accepted by the MQTT broker ${broker.label}`;
  }

  /** A broker that lets us write to the old topics only, as its administrator set it up years ago, gets those. */
  async function sendOwn(message: Outgoing): Promise<void> {
    try {
      await link.publish(message);
    } catch (failure) {
      if (!(failure instanceof NotTaken) || failure.code === null) throw failure;
      warnOnce(message.topic, failure);
    }
  }

  /** States first, then "online": whoever sees us come back sees how things are, and is listened to. */
  async function onUp(): Promise<void> {
    retained.sendAll();
    for (const listener of onAvailable) listener();
    const isGuarded = await brokerIsGuarded();
    const may = (permission: Permission) => permission === "yes" || (permission === "auto" && isGuarded);
    showsPictures = pictures !== undefined && may(config.pictures);
    await entities.connected({
      pictures: showsPictures,
      mute: mutes !== undefined && may(config.commands),
    });
    await link.publish({ topic: topics.status, payload: ONLINE, retain: true }).catch((failure) => {
      warnOnce(topics.status, failure);
    });
  }

  /** Whether the broker asks for a login; found out anew with each connection, because brokers get reconfigured. */
  async function brokerIsGuarded(): Promise<boolean> {
    const matters =
      (mutes && config.commands === "auto") || (pictures !== undefined && config.pictures === "auto");
    if (!matters) return false;
    const connection = await withLogin(config, broker).catch(() => ({}));
    if (!("username" in connection) && !("cert" in connection)) return false;
    const answer = await asksForLogin(connection, `${clientId}-guest`);
    if (answer !== "yes")
      logger.info(
        answer === "no"
          ? "The MQTT broker lets in anybody: muting and pictures are not offered there (mqtt.commands, mqtt.pictures)"
          : "It is not certain that the MQTT broker asks for a login: muting and pictures are not offered for now",
      );
    return answer === "yes";
  }

  function warnOnce(topic: string, failure: unknown): void {
    if (refused.has(topic) || !(failure instanceof NotTaken) || failure.code === null) return;
    refused.add(topic);
    logger.warn(`The MQTT broker does not take ${topic}: ${failure.message}`);
  }
}

async function withLogin(config: MqttOptions, broker: Broker): Promise<IClientOptions> {
  return { ...(await connectionOptions(config, broker)), ...loginOf(config, broker) };
}

/** Its problems are found with the rest of the configuration; here it is only made certain. */
function brokerOf(config: MqttOptions): Broker {
  const broker = parseBroker(config);
  if (broker === null) throw new AppError("CONFIG_INVALID", { problem: "mqtt.server is no address" });
  return broker;
}

function asDeliveryError(failure: unknown): DeliveryError {
  if (!(failure instanceof NotTaken)) return new DeliveryError("retry", "stopped while sending");
  const isFinal = failure.code !== null && FINAL.has(failure.code);
  return new DeliveryError(isFinal ? "rejected" : "retry", failure.message);
}
