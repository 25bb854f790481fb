/** A client as a phone is one: logs in over a WebSocket and keeps what it is told. */
import { once } from "node:events";
import type { LookupFunction } from "node:net";
import { vi } from "vitest";
import { WebSocket } from "ws";

export interface ReceivedAlarm {
  readonly MonitorId: string;
  readonly EventId: string;
  readonly Name: string;
  readonly Cause: string;
  readonly Picture?: string;
  readonly Late?: "true";
}

interface Message {
  readonly event: string;
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly events?: readonly ReceivedAlarm[];
}

export interface Listener {
  /** Everything received, oldest first. */
  readonly messages: readonly Message[];
  isOpen(): boolean;
  send(message: unknown): void;
  /** The alarms told so far of this monitor, or of all. */
  alarms(monitorId?: number): readonly ReceivedAlarm[];
  /** Waits until a message of this kind has come. */
  message(event: string, timeoutMs?: number): Promise<Message>;
  close(): Promise<void>;
}

/**
 * Connects without logging in. Any certificate will do, unless there is an authority (its certificate, as PEM): then it has
 * to come from there and bear the name in the URL, which is taken for a name of this machine.
 */
export async function connect(url: string, authority?: string): Promise<Listener> {
  const socket = new WebSocket(
    url,
    authority === undefined ? { rejectUnauthorized: false } : { ca: authority, lookup: thisMachine },
  );
  const messages: Message[] = [];
  socket.on("message", (data) => messages.push(JSON.parse(String(data)) as Message));
  await once(socket, "open");
  return {
    messages,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    send: (message) => socket.send(JSON.stringify(message)),
    alarms: (monitorId) =>
      messages
        .flatMap((message) => (message.event === "alarm" ? (message.events ?? []) : []))
        .filter((alarm) => monitorId === undefined || alarm.MonitorId === String(monitorId)),
    message: async (event, timeout = 10_000) =>
      await vi.waitFor(
        () => {
          const found = messages.find((message) => message.event === event);
          if (found === undefined) throw new Error(`no message "${event}" among ${JSON.stringify(messages)}`);
          return found;
        },
        { timeout, interval: 20 },
      ),
    close: async () => {
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await once(socket, "close");
    },
  };
}

/** Connects and logs in; gives the client once the server has answered, whatever it answered. */
export async function logIn(
  url: string,
  user: string,
  password: string,
  lists: { readonly monlist?: string; readonly intlist?: string } = {},
  authority?: string,
): Promise<Listener> {
  const listener = await connect(url, authority);
  listener.send({ event: "auth", category: "normal", data: { user, password, ...lists } });
  await listener.message("auth");
  return listener;
}

/** What a phone's router or name server would say. */
const thisMachine: LookupFunction = (_name, { all }, done) => {
  const found = { address: "127.0.0.1", family: 4 };
  if (all === true) done(null, [found]);
  else done(null, found.address, found.family);
};
