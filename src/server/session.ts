// One client connection: its state, its messages in strict order, its replies and what it is told.
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { DeviceLink, Lists } from "../domain/device-link.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { parseFilter, type Recipient, type Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClientApp, CloseCode, CommandContext, Connection } from "./commands/command.ts";
import { runCommand } from "./commands/index.ts";
import { maskedMessage, type Outgoing, parseMessage } from "./protocol.ts";

export interface SessionLimits {
  /** Messages kept while a login is being checked, and looked at before one: a client needs 4 (zmNinja). */
  readonly queued_messages: number;
  /** Longest message; those kept while a login is checked, and those before one, are together no longer than that. */
  readonly message_bytes: number;
  /** Bytes a client may leave unread before it is closed: 3,000 alarms. */
  readonly client_buffer_bytes: number;
}

/** What all sessions share; one object for all of them, because there may be thousands. */
export interface SessionContext extends CommandContext {
  readonly limits: SessionLimits;
  readonly clock: Clock;
  /** Called after every login, the first one and later ones. */
  onLoggedIn(session: Session): void;
  onClosed(session: Session): void;
}

/** Proxies cut idle connections, nginx after 60 s (proxy_read_timeout): a ping every 50 s keeps them open. */
const PING_EVERY_MS = 50_000;

/** Phones sleep for minutes: be patient. wsclient.py, which controls, answers no ping while it waits for its user. */
const LONGEST_SILENCE_MS = 300_000;

/** A login that has no answer by then never gets one; every known client has given up long before. */
const LONGEST_LOGIN_MS = 120_000;

/** How long a client that does not read may take to read the close frame. */
const SLOW_CLOSE_MS = 1_000;

// Shared by everybody without intervals; never written, because only an interval makes the channel write.
const NO_INTERVALS: ReadonlyMap<MonitorId, number> = new Map();
const NOTHING_TOLD: Map<MonitorId, number> = new Map();
const NOBODY: Recipient = {
  monitors: "all",
  intervals: NO_INTERVALS,
  rights: new Set(),
  lastTold: NOTHING_TOLD,
};

/** Shared by all that have not logged in yet. */
const NO_APP: ClientApp = { app: "unknown", appVersion: null };

export class Session implements Connection {
  readonly address: string;
  /** The user of the last login that was accepted; null before the first. */
  user: string | null = null;
  isControl = false;
  recipient: Recipient = NOBODY;
  lists: Lists | null = null;
  device: DeviceLink | null = null;
  client: ClientApp = NO_APP;
  /** When the first login was accepted, on the monotonic clock. */
  loggedInAt = 0;
  /** When the rights were last known to be true, on the monotonic clock. */
  rightsAt = 0;
  private readonly ws: WebSocket;
  private readonly socket: Duplex;
  private readonly context: SessionContext;
  private readonly loginDeadline: number;
  private ended = false;
  private loginSince: number | null = null;
  private early = 0;
  private earlyLength = 0;
  private waiting: string[] | null = null;
  private waitingLength = 0;
  private abort: AbortController | null = null;
  private heardAt: number;
  private pingedAt: number;

  /** `socket` is the one the upgrade came on: finished frames are written to it directly. */
  constructor(ws: WebSocket, socket: Duplex, address: string, timeoutMs: number, context: SessionContext) {
    this.ws = ws;
    this.socket = socket;
    this.address = address;
    this.context = context;
    this.heardAt = context.clock.monotonic();
    this.pingedAt = this.heardAt;
    this.loginDeadline = this.heardAt + timeoutMs;
    ws.on("message", (data, isBinary) => this.onMessage(data, isBinary));
    ws.on("pong", () => this.onHeard());
    ws.on("ping", () => this.onHeard());
    ws.on("close", () => this.onClose());
    // What follows an error (a broken frame, a reset) is always a close, which is where it is dealt with.
    ws.on("error", (error) =>
      context.logger.debug({ address, reason: error.message }, "A connection failed"),
    );
  }

  get isLoggedIn(): boolean {
    return this.user !== null || this.isControl;
  }

  /** True when alarms reach the phone behind this connection by push as well. */
  get supplementary(): boolean {
    return this.device?.isPushed === true;
  }

  get updates(): boolean {
    return this.client.updates === true;
  }

  get closed(): AbortSignal {
    this.abort ??= new AbortController();
    return this.abort.signal;
  }

  reply(message: Outgoing): void {
    if (!this.writable()) return;
    if (this.hasRoom()) this.ws.send(JSON.stringify(message));
  }

  signIn(user: string, rights: Rights): void {
    this.user = user;
    this.isControl = false;
    this.recipient = { ...this.recipient, rights };
    this.device?.setOwner(user, rights);
    this.rightsAt = this.context.clock.monotonic();
    this.loggedInAt ||= this.rightsAt;
    this.context.onLoggedIn(this);
  }

  takeControl(): void {
    this.user = null;
    this.isControl = true;
    this.recipient = NOBODY;
    this.lists = null;
    this.device = null;
    this.context.onLoggedIn(this);
  }

  /** Puts in what ZoneMinder says now, without a login. */
  setRights(rights: Rights, at: number): void {
    this.rightsAt = at;
    if (this.recipient.rights !== rights) this.recipient = { ...this.recipient, rights };
  }

  setFilter(monlist: string, intlist: string): void {
    this.device?.setFilter(monlist, intlist);
    this.lists = { monlist, intlist };
    this.applyFilter(this.recipient.lastTold);
  }

  describe(client: ClientApp): void {
    this.client = client;
  }

  hold(device: DeviceLink): void {
    this.device = device;
    const lists = device.lists();
    // Told by push before it connected counts for the intervals of the connection too; from now on each counts its own.
    const lastTold = new Map([...device.lastTold(), ...this.recipient.lastTold]);
    if (this.lists !== null || lists.monlist !== "") this.lists = lists;
    if (this.lists !== null) this.applyFilter(lastTold);
  }

  private applyFilter(lastTold: ReadonlyMap<MonitorId, number>): void {
    const { monitors, intervals } = parseFilter(this.lists?.monlist ?? "", this.lists?.intlist ?? "");
    const { rights } = this.recipient;
    this.recipient =
      intervals.size === 0
        ? { monitors, intervals: NO_INTERVALS, rights, lastTold: NOTHING_TOLD }
        : {
            monitors,
            intervals,
            rights,
            lastTold: new Map([...lastTold].filter(([id]) => intervals.has(id))),
          };
  }

  writable(): boolean {
    return !this.ended && this.ws.readyState === WebSocket.OPEN;
  }

  write(bytes: Buffer): void {
    if (this.writable() && this.hasRoom()) this.socket.write(bytes);
  }

  end(code: CloseCode | 1001, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.waiting = null;
    this.ws.close(code, reason);
  }

  terminate(): void {
    this.ended = true;
    this.ws.terminate();
  }

  /** Looks whether a deadline has passed. One timer calls this for all sessions. */
  check(now: number): void {
    if (this.ended) return;
    if (this.loginSince !== null) {
      if (now - this.loginSince > LONGEST_LOGIN_MS) this.end(1013, "the login could not be checked");
    } else if (!this.isLoggedIn) {
      if (now >= this.loginDeadline) this.onLoginTimeout();
    } else if (now - this.heardAt > LONGEST_SILENCE_MS && !this.isControl) {
      this.terminate();
    } else if (now - this.pingedAt > PING_EVERY_MS) {
      this.pingedAt = now;
      this.ws.ping();
    }
  }

  private onMessage(data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean): void {
    this.onHeard();
    if (isBinary || this.ended) return;
    // ws hands out text as one Buffer unless told otherwise (binaryType "nodebuffer").
    const text = data.toString();
    if (this.loginSince === null) this.handle(text);
    else this.queue(text);
  }

  private handle(text: string): void {
    const { logger, limits, clock } = this.context;
    if (logger.isLevelEnabled("debug")) logger.debug(`Raw incoming message: ${maskedMessage(text)}`);
    if (!this.isLoggedIn) {
      this.early += 1;
      this.earlyLength += text.length;
    }
    if (this.early > limits.queued_messages || this.earlyLength > limits.message_bytes) {
      this.end(1008, "too many messages before a login");
      return;
    }
    const pending = runCommand(this, parseMessage(text), this.context);
    if (pending === null) return;
    this.loginSince = clock.monotonic();
    pending.then(
      () => this.afterLogin(),
      (failure: unknown) => {
        logger.error({ err: failure }, "A message could not be carried out");
        this.end(1013, "the login could not be checked");
      },
    );
  }

  private queue(text: string): void {
    const { queued_messages, message_bytes } = this.context.limits;
    this.waiting ??= [];
    this.waitingLength += text.length;
    if (this.waiting.length < queued_messages && this.waitingLength <= message_bytes) this.waiting.push(text);
    else this.end(1008, "too many messages while a login is checked");
  }

  private afterLogin(): void {
    this.loginSince = null;
    if (this.isLoggedIn) this.early = this.earlyLength = 0;
    if (!this.ended) this.abort = null;
    while (this.loginSince === null && this.waiting !== null && !this.ended) {
      const text = this.waiting.shift();
      this.waitingLength -= text?.length ?? 0;
      if (text === undefined) this.waiting = null;
      else this.handle(text);
    }
  }

  private onHeard(): void {
    this.heardAt = this.context.clock.monotonic();
  }

  private onLoginTimeout(): void {
    this.context.frequentInfo("no login", `No authentication received in time from ${this.address}: closing`);
    this.reply({ event: "auth", type: "", status: "Fail", reason: "NOAUTH" });
    this.end(1000, "NOAUTH");
  }

  /** False when the client has left too much unread already; then it is closed, and delays nobody. */
  private hasRoom(): boolean {
    const unread = this.socket.writableLength;
    if (unread <= this.context.limits.client_buffer_bytes) return true;
    this.context.sparseWarn(
      "slow",
      `The client at ${this.address} does not read (${unread} bytes wait): closed`,
    );
    this.end(1013, "you do not read what you are sent");
    setTimeout(() => this.ws.terminate(), SLOW_CLOSE_MS).unref();
    return false;
  }

  private onClose(): void {
    this.ended = true;
    this.waiting = null;
    this.abort?.abort();
    this.context.onClosed(this);
  }
}
