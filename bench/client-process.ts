// Clients by the thousand: connect, log in, and note when what was expected has arrived.
import { WebSocket } from "ws";
import { answerCalls } from "./child.ts";
import { instant } from "./instant.ts";

/** What a client logs in with. */
export interface ClientLogin {
  readonly user: string;
  readonly password: string;
  readonly monlist?: string;
  readonly intlist?: string;
}

export interface OpenRequest {
  /** Clients of one group are counted together. */
  readonly group: string;
  readonly url: string;
  readonly count: number;
  /** One for each client, in turn; null: only connect. */
  readonly logins: readonly ClientLogin[] | null;
  /** How many connect and log in at the same time. */
  readonly atOnce: number;
}

export interface ClientCalls {
  /** Resolves when all are connected and logged in. */
  open(request: OpenRequest): void;
  /** From now on the group waits for so many messages. */
  expect(request: { readonly group: string; readonly messages: number }): void;
  /** When the last of them came; fails when they do not come. */
  lastOf(request: { readonly group: string; readonly timeoutMs: number }): Promise<number>;
  /** From now on every alarm is kept; gives those kept so far: event id and moment. */
  arrivals(group: string): readonly (readonly [number, number])[];
  /** The last message a client of the group got. */
  text(group: string): string;
  /** Logs in again so many times on one connection, one after the other; ms for each. */
  loginAgain(request: {
    readonly group: string;
    readonly login: ClientLogin;
    readonly times: number;
  }): Promise<readonly number[]>;
  /** Cuts the connections of a group. */
  close(group: string): void;
}

interface Group {
  readonly clients: WebSocket[];
  received: number;
  lastAt: number;
  text: string;
  wanted: number;
  complete: PromiseWithResolvers<number> | null;
  arrivals: [number, number][] | null;
}

await answerCalls((): ClientCalls => {
  const groups = new Map<string, Group>();
  const groupOf = (name: string): Group => {
    const known = groups.get(name) ?? newGroup();
    groups.set(name, known);
    return known;
  };
  return {
    async open(request) {
      const group = groupOf(request.group);
      let next = 0;
      const openNext = async (): Promise<void> => {
        while (next < request.count) {
          const index = next++;
          await openClient(group, request, index);
        }
      };
      await Promise.all(Array.from({ length: Math.min(request.atOnce, request.count) }, openNext));
    },
    expect({ group: name, messages }) {
      const group = groupOf(name);
      group.received = 0;
      group.wanted = messages;
      group.complete = Promise.withResolvers();
    },
    lastOf: ({ group, timeoutMs }) => lastOf(groupOf(group), timeoutMs),
    arrivals(name) {
      const group = groupOf(name);
      const soFar = group.arrivals ?? [];
      group.arrivals = [];
      return soFar;
    },
    text: (name) => groupOf(name).text,
    loginAgain: ({ group, login, times }) => loginAgain(groupOf(group), login, times),
    close(name) {
      for (const client of groupOf(name).clients.splice(0)) client.terminate();
    },
  };
});

function newGroup(): Group {
  return { clients: [], received: 0, lastAt: 0, text: "", wanted: 0, complete: null, arrivals: null };
}

async function openClient(group: Group, request: OpenRequest, index: number): Promise<void> {
  const position = group.clients.length;
  const client = new WebSocket(request.url, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    localAddress: addressOf(position),
  });
  group.clients.push(client);
  // In place before anything can come: the reply to a login and an alarm may arrive in one piece.
  client.on("message", (data: Buffer) => {
    if (isAlarm(data)) onAlarm(group, data);
    else client.emit("reply", data);
  });
  const login = request.logins?.[index % request.logins.length];
  await opened(client);
  if (login !== undefined) await loggedIn(client, login);
}

/** `{"event":"alarm"` and `{"event":"auth"` differ here; looking is cheaper than parsing 100,000 messages. */
function isAlarm(data: Buffer): boolean {
  return data[11] === "l".charCodeAt(0);
}

/** Everybody comes from an address of its own (127/8 is all ours), as everybody does in the world. */
function addressOf(position: number): string {
  return `127.1.${position >> 8}.${position & 255}`;
}

function opened(client: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("open", resolve);
    client.on("error", reject);
  });
}

function loggedIn(client: WebSocket, { user, password, monlist, intlist }: ClientLogin): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReply = (data: Buffer): void => {
      client.off("close", onClose);
      if (data.includes('"status":"Success"')) resolve();
      else reject(new Error(`A login was refused: ${data}`));
    };
    const onClose = (code: number): void => reject(new Error(`A login was closed with ${code}`));
    client.once("reply", onReply);
    client.once("close", onClose);
    client.send(
      JSON.stringify({ event: "auth", category: "normal", data: { user, password, monlist, intlist } }),
    );
  });
}

function onAlarm(group: Group, data: Buffer): void {
  group.received += 1;
  if (group.arrivals !== null) {
    const message = JSON.parse(data.toString()) as { events?: readonly { readonly EventId: string }[] };
    group.arrivals.push([Number(message.events?.[0]?.EventId), instant()]);
  }
  if (group.received !== group.wanted) return;
  group.text = data.toString();
  group.complete?.resolve(instant());
}

async function lastOf(group: Group, timeoutMs: number): Promise<number> {
  const timer = setTimeout(
    () => group.complete?.reject(new Error(`only ${group.received} of ${group.wanted} messages came`)),
    timeoutMs,
  );
  try {
    return (await group.complete?.promise) ?? Number.NaN;
  } finally {
    clearTimeout(timer);
  }
}

async function loginAgain(group: Group, login: ClientLogin, times: number): Promise<readonly number[]> {
  const [client] = group.clients;
  if (client === undefined) throw new Error("Nobody is there to log in again.");
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    const began = instant();
    await loggedIn(client, login);
    took.push(instant() - began);
  }
  return took;
}
