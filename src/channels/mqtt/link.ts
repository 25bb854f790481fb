// One connection to the broker, kept up: it comes back by itself, and a message counts as sent once the broker said so.
import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient } from "mqtt";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import { within } from "../../lib/within.ts";
import { createSending, NotTaken, type Outgoing, type Sending, wordsOf } from "./sending.ts";

export interface LinkDeps {
  /** How to connect; asked before each attempt. Rejects with a sentence without secrets. */
  readonly connection: () => Promise<IClientOptions>;
  readonly clientId: string;
  /** What the broker says when the connection is lost, and we when we leave. */
  readonly will: Outgoing;
  /** The broker, as the log names it. */
  readonly label: string;
  readonly onUp: () => void;
  readonly onMessage: (topic: string, payload: Buffer, retained: boolean) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an acknowledgement may take; tests are less patient. */
  readonly ackMs?: number;
}

const FIRST_PAUSE_MS = 500;
/** A broker that was down for long is found again within this. */
const LONGEST_PAUSE_MS = 30_000;
/** Whoever is thrown out sooner goes on where the pauses were: two clients with one id would chase each other. */
const STABLE_MS = 30_000;
const CONNECT_MS = 10_000;
/** A broker that acknowledges nothing for so long is as good as gone. */
const ACK_MS = 10_000;
/** The last will is told after one and a half of these. */
const KEEPALIVE_SECONDS = 15;
/** Saying goodbye must not hold up the end of the program. */
const GOODBYE_MS = 200;
const CLOSE_MS = 100;
/** MQTT 5, 2.4: another client has connected with this client id. */
const SESSION_TAKEN_OVER = 142;

export class MqttLink {
  readonly #deps: LinkDeps;
  readonly #sending: Sending;
  #client: MqttClient | null = null;
  /** Settles with the attempt to connect that is under way. */
  #attempt: PromiseWithResolvers<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pause = FIRST_PAUSE_MS;
  #upSince: number | null = null;
  #trouble: string | null = null;
  #stopped = false;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.#sending = createSending(deps.ackMs ?? ACK_MS, (client) =>
      this.#onError(client, "it acknowledges nothing"),
    );
  }

  /** Begins to connect and returns at once: nothing else waits for the broker. */
  start(): void {
    void this.#connect();
  }

  isUp(): boolean {
    return this.#upSince !== null;
  }

  /**
   * Resolves when the broker has taken the message; rejects with NotTaken. An attempt to connect that is under way is
   * waited for; otherwise nothing waits for a broker that is away.
   */
  async publish(message: Outgoing): Promise<void> {
    await this.#attempt?.promise;
    if (this.#upSince === null || this.#stopped) throw new NotTaken(this.#absence());
    await this.#sending.send(message);
  }

  /** Subscribes for this connection; what the broker refuses is left out with a line in the log. */
  async subscribe(filters: readonly string[]): Promise<void> {
    const client = this.#client;
    for (const filter of filters) {
      try {
        const granted = await client?.subscribeAsync(filter, { qos: 1 });
        if (granted?.some(({ qos }) => qos >= 128)) throw new Error("not authorized");
      } catch (failure) {
        if (client === this.#client)
          this.#deps.logger.warn(`The MQTT broker refuses a subscription to ${filter}: ${wordsOf(failure)}`);
      }
    }
  }

  /** Says goodbye with the last will and closes. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#settleAttempt();
    this.#sending.dropWaiting(new NotTaken("zmes is stopping"));
    const client = this.#client;
    if (client === null) return;
    if (this.#upSince !== null) await within(this.#sending.send(this.#deps.will), GOODBYE_MS);
    // What is not acknowledged by now keeps mqtt.js from saying DISCONNECT; then the broker tells the will for us.
    await within(client.endAsync(!this.#sending.isIdle()), CLOSE_MS);
    client.stream.destroy();
    this.#onClose(client);
  }

  async #connect(): Promise<void> {
    this.#timer = null;
    this.#attempt = Promise.withResolvers();
    try {
      // Loaded here: whoever has no broker pays nothing for it.
      const [mqtt, connection] = await Promise.all([import("mqtt"), this.#deps.connection()]);
      if (this.#stopped) return;
      this.#watch(mqtt.connect(this.#clientOptions(connection)));
    } catch (failure) {
      this.#fail(wordsOf(failure));
      this.#again();
    }
  }

  #clientOptions(connection: IClientOptions): IClientOptions {
    const { will, clientId } = this.#deps;
    return {
      ...connection,
      clientId,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_MS,
      // Reconnecting is done here, with growing pauses and a fresh client that holds nothing back.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: will.retain },
      // mqtt.js would write packets, passwords included, to the debug log of its own.
      log: () => undefined,
    };
  }

  #watch(client: MqttClient): void {
    this.#client = client;
    client.on("connect", (packet) => this.#onConnect(client, packet));
    client.on("error", (failure) => this.#onError(client, wordsOf(failure)));
    client.on("close", () => this.#onClose(client));
    client.on("disconnect", ({ reasonCode }) => {
      if (reasonCode === SESSION_TAKEN_OVER) this.#warnOfTwin();
    });
    client.on("message", (topic: string, payload: Buffer, packet: IPublishPacket) => {
      if (client === this.#client) this.#deps.onMessage(topic, payload, packet.retain === true);
    });
  }

  #onConnect(client: MqttClient, packet: IConnackPacket): void {
    if (client !== this.#client) return;
    this.#upSince = this.#deps.clock.monotonic();
    this.#settleAttempt();
    this.#sending.open(client, packet.properties?.receiveMaximum ?? Number.POSITIVE_INFINITY);
    this.#trouble = null;
    this.#deps.logger.info(`Connected to the MQTT broker ${this.#deps.label}`);
    this.#deps.onUp();
  }

  /** A connection with trouble is given up at once: what was under way is sent again over the next one. */
  #onError(client: MqttClient, reason: string): void {
    if (client !== this.#client) return;
    this.#fail(reason);
    this.#onClose(client); // first: mqtt.js would fail what is under way in words of its own
    client.end(true);
  }

  #onClose(client: MqttClient): void {
    if (client !== this.#client) return;
    this.#client = null;
    const wasUp = this.#upSince;
    this.#upSince = null;
    if (!this.#stopped && this.#trouble === null) this.#fail("the connection was closed");
    this.#sending.close(new NotTaken(this.#absence()));
    if (this.#stopped) return;
    if (wasUp !== null && this.#deps.clock.monotonic() - wasUp >= STABLE_MS) this.#pause = FIRST_PAUSE_MS;
    this.#again();
  }

  #settleAttempt(): void {
    this.#attempt?.resolve();
    this.#attempt = null;
  }

  #again(): void {
    this.#settleAttempt();
    if (this.#stopped) return;
    // Jitter: after a power cut not everybody should knock at the same moment.
    this.#timer = setTimeout(() => void this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #absence(): string {
    return `the MQTT broker ${this.#deps.label} is not connected${this.#trouble === null ? "" : `: ${this.#trouble}`}`;
  }

  /** Each reason is a warning once, and news again after the next connection. */
  #fail(reason: string): void {
    const line = `The MQTT broker ${this.#deps.label} cannot be used: ${reason}; trying again`;
    if (reason === this.#trouble) this.#deps.logger.debug(line);
    else this.#deps.logger.warn(line);
    this.#trouble = reason;
  }

  #warnOfTwin(): void {
    this.#deps.logger.warn(
      `Another client has connected to the MQTT broker as ${this.#deps.clientId}: each zmes needs a name of its own, mqtt.server_name`,
    );
  }
}
