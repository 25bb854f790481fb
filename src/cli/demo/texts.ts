// What `zmes demo` prints: how to connect, and each alarm as it is delivered.
import { shellWord } from "../../lib/command-line.ts";
import { timeOfDay } from "../listen/texts.ts";

export interface DemoAccess {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** How the second terminal reaches the programs. */
export interface DemoPrograms {
  /** "In another terminal", with where to stand there if that matters. */
  readonly where: string;
  readonly zmes: string;
  readonly wscat: string;
  /** What takes any free port. */
  readonly onFreePort: string;
}

/** `root` is the program's folder; it need not be the current one, and only a checkout has wscat in it. */
export function programsFrom(root: string, current: string, hasWscat: boolean): DemoPrograms {
  const isHere = root === current;
  const folder = isHere ? "" : `${root}/`;
  return {
    where: isHere ? "In another terminal, in this folder" : "In another terminal",
    zmes: shellWord(`${folder}bin/zmes`),
    wscat: hasWscat ? shellWord(`${folder}node_modules/.bin/wscat`) : "npx wscat",
    onFreePort: isHere && hasWscat ? "npm run demo -- --port 0" : "zmes demo --port 0",
  };
}

/** Everything that somebody needs who wants to see an alarm arrive. */
export function demoBanner(
  access: DemoAccess,
  cameras: readonly string[],
  everyMs: number,
  programs: DemoPrograms,
): string {
  const { url, user, password } = access;
  const login = JSON.stringify({ event: "auth", data: { user, password } });
  const many = cameras.length > 6 ? `${cameras.slice(0, 6).join(", ")}, ...` : cameras.join(", ");
  return `
zmes is running over a simulated ZoneMinder with ${cameras.length} camera${cameras.length === 1 ? "" : "s"}: ${many}
One of them sees something every ${everyMs / 1000} s.

  URL       ${url}
  user      ${user}
  password  ${password}

${programs.where}:

  ZMES_PASSWORD=${password} ${programs.zmes} listen ${url} --user ${user}

or with wscat, which knows nothing of zmes:

  ${programs.wscat} -w 600 -c ${url} -x '${login}'

Ctrl-C ends it and leaves nothing behind. Alarms as they are delivered:

`;
}

export interface Delivery {
  readonly at: number;
  readonly camera: string;
  readonly monitor: number;
  readonly cause: string;
  readonly eventId: number | null;
  /** Who is logged in; whether they asked for this monitor is theirs to know. */
  readonly clients: number;
  /** From the byte in shared memory to the last write to a socket; null for an alarm nobody simulated. */
  readonly latencyMs: number | null;
}

/** "04:12:08.123 Garage (monitor 2): Motion:Drive, event 3 - 14.1 ms after the alarm, 1 client" */
export function deliveryLine(delivery: Delivery): string {
  const { at, camera, monitor, cause, eventId, clients, latencyMs } = delivery;
  const what = `${camera} (monitor ${monitor}): ${cause}, ${eventId === null ? "no event" : `event ${eventId}`}`;
  const when = latencyMs === null ? "" : `${latencyMs.toFixed(1)} ms after the alarm, `;
  const whom = clients === 0 ? "nobody listens" : `${clients} client${clients === 1 ? "" : "s"}`;
  return `${timeOfDay(at)} ${what} - ${when}${whom}\n`;
}
