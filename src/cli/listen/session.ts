// One connection of `zmes listen`: connect, log in, hand over alarms until it ends.
import WebSocket from "ws";
import { z } from "zod";
import type { ListenOptions } from "./options.ts";
import { type KnownMonitor, missingText, printable } from "./texts.ts";
import { describeTrouble, type Trouble } from "./trouble.ts";

/** One entry of `events` as servers of every age send it: ids are strings with some and numbers with others. */
export type AlarmEvent = z.infer<typeof alarmEvent>;

export interface ListenHandlers {
  onLogin(serverVersion: string): void;
  onAlarm(event: AlarmEvent): void;
  /** Some of the monitors asked for will never be told of; the others are. */
  onNotice(sentence: string): void;
}

const text = z.union([z.string(), z.number()]).transform(String);
const alarmEvent = z.looseObject({
  Name: z.string().default(""),
  MonitorId: text,
  EventId: text.default("0"),
  Cause: z
    .string()
    .nullish()
    .transform((cause) => cause ?? ""),
  Late: z.string().optional(),
});

const reply = z.looseObject({
  event: z.string(),
  status: z.string().optional(),
  reason: z.string().optional(),
  version: z.string().optional(),
  events: z.array(z.unknown()).optional(),
  type: z.string().optional(),
  monitors: z.array(z.object({ MonitorId: text, Name: z.string() })).optional(),
});

/** A server that does not answer the handshake by then is not going to. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A login may wait behind others for a slow password hash. */
const LOGIN_TIMEOUT_MS = 20_000;
/** Asked regularly, as servers before ours answer no WebSocket pings; two questions without an answer: it is gone. */
const KEEPALIVE_MS = 30_000;
/** Far above any alarm. */
const MAX_MESSAGE_BYTES = 1_048_576;

/** Resolves when the connection is over, with the reason; null when `stop` ended it. */
export async function listenOnce(
  options: ListenOptions,
  password: string,
  handlers: ListenHandlers,
  stop: AbortSignal,
): Promise<Trouble | null> {
  const socket = new WebSocket(options.url, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    rejectUnauthorized: !options.insecure,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const session = new Session(socket, options, password, handlers);
  const onStop = () => session.end(null);
  stop.addEventListener("abort", onStop);
  if (stop.aborted) onStop();
  const trouble = await session.ended;
  stop.removeEventListener("abort", onStop);
  if (trouble?.kind === "error") return describeTrouble(trouble.error, options);
  return trouble;
}

type Ending = Trouble | { readonly kind: "error"; readonly error: Error } | null;

class Session {
  readonly ended: Promise<Ending>;
  readonly #socket: WebSocket;
  readonly #options: ListenOptions;
  readonly #handlers: ListenHandlers;
  #resolve: (ending: Ending) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #loggedIn = false;
  #unanswered = 0;

  constructor(socket: WebSocket, options: ListenOptions, password: string, handlers: ListenHandlers) {
    this.#socket = socket;
    this.#options = options;
    this.#handlers = handlers;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    socket.on("open", () => this.#logIn(password));
    socket.on("message", (data, isBinary) => {
      if (!isBinary) this.#onText(data.toString());
    });
    socket.on("error", (error) => this.end({ kind: "error", error }));
    socket.on("close", (code) => this.end({ kind: "lost", message: closeMessage(code, this.#loggedIn) }));
  }

  end(ending: Ending): void {
    clearTimeout(this.#timer);
    this.#resolve(ending);
    if (ending === null && this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000);
    else this.#socket.terminate();
  }

  #logIn(password: string): void {
    const { user, monitors, intervals } = this.#options;
    // With the lists in the login, no alarm of another monitor can come before the filter is set.
    this.#send({ event: "auth", data: { user, password, monlist: monitors, intlist: intervals } });
    this.#timer = setTimeout(
      () => this.end({ kind: "lost", message: "The server did not answer the login." }),
      LOGIN_TIMEOUT_MS,
    );
  }

  #onText(message: string): void {
    const parsed = reply.safeParse(parseJson(message));
    if (!parsed.success) return;
    this.#unanswered = 0;
    const { event, type, status, reason, version, events, monitors } = parsed.data;
    if (event === "auth") this.#onAuth(status, reason ?? "", version ?? "");
    if (event === "alarm" && this.#loggedIn) for (const entry of events ?? []) this.#onAlarm(entry);
    if (event === "control" && type === "monitors" && monitors) this.#onMonitors(monitors);
  }

  #onAuth(status: string | undefined, reason: string, version: string): void {
    if (status !== "Success") {
      this.end({ kind: "refused", message: refusalMessage(reason) });
      return;
    }
    if (this.#loggedIn) return;
    this.#loggedIn = true;
    const { monitors, intervals } = this.#options;
    // Servers before 2.2 take the lists only from this message; later ones hear the same thing twice.
    if (monitors !== "") {
      this.#send({ event: "control", data: { type: "filter", monlist: monitors, intlist: intervals } });
      // Servers that do not know this question ignore it.
      this.#send({ event: "control", data: { type: "monitors" } });
    }
    this.#keepAlive();
    this.#handlers.onLogin(version);
  }

  /** With none of those asked for, the command ends: it would be silent for ever, mostly because of a slip of the finger. */
  #onMonitors(known: readonly KnownMonitor[]): void {
    const wanted = this.#options.monitors.split(",");
    const missing = wanted.filter((id) => !known.some(({ MonitorId }) => MonitorId === id));
    if (missing.length === 0) return;
    const message = missingText(missing, known, this.#options.user);
    if (missing.length === wanted.length) this.end({ kind: "refused", message });
    else this.#handlers.onNotice(message);
  }

  #onAlarm(entry: unknown): void {
    const parsed = alarmEvent.safeParse(entry);
    if (parsed.success) this.#handlers.onAlarm(parsed.data);
  }

  #keepAlive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#unanswered >= 2) return this.end({ kind: "lost", message: "The server went silent." });
      this.#unanswered += 1;
      this.#send({ event: "control", data: { type: "version" } });
      this.#keepAlive();
    }, KEEPALIVE_MS);
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message), () => {
      // A failed write shows itself as the connection's end, which is handled there.
    });
  }
}

function parseJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function refusalMessage(reason: string): string {
  if (reason === "BADAUTH") return "The server does not accept this user name and password (BADAUTH).";
  return `The server refused the login${reason ? ` (${printable(reason)})` : ""}.`;
}

function closeMessage(code: number, loggedIn: boolean): string {
  if (code === 1001 || code === 1012) return "The server is stopping or restarting.";
  if (code === 1013) return "The server is too busy for this connection right now (1013).";
  return loggedIn ? "The connection was lost." : "The server closed the connection before the login.";
}
