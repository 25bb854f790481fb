// What the outbox promises when the program is killed at any moment.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.ts";

const ALARMS = 1000;
const PHONES = 20;
const KILLS = 20;
/** Of the answers of the stand-in. */
const FAILURES = 0.3;

let folder: string;
let standIn: Server;
/** How often each notice was accepted. */
let accepted: Map<string, number>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-faults-"));
  accepted = new Map();
  standIn = createServer((socket) => {
    socket.on("error", () => undefined);
    onLines(socket, (id) => {
      const isBusy = Math.random() < FAILURES;
      if (!isBusy) accepted.set(id, (accepted.get(id) ?? 0) + 1);
      socket.write(`${id} ${isBusy ? "busy" : "accepted"}\n`);
    });
  });
  standIn.listen(0, "127.0.0.1");
  await once(standIn, "listening");
});
afterEach(() => {
  standIn.close();
  rmSync(folder, { recursive: true, force: true });
});

test("killed twenty times, with every third answer a failure: each notice arrives, and twice only what was unacknowledged", async () => {
  const file = join(folder, "zmes.db");
  const allowed = new Map<string, number>();
  let unacknowledged = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const goal = Math.floor((kill / (KILLS + 1)) * ALARMS * PHONES);
    const program = start(file);
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(goal), { timeout: 30_000, interval: 5 });
    program.kill("SIGKILL");
    await once(program, "close");
    await settled();
    const again = pending(file).filter((id) => accepted.has(id));
    unacknowledged = Math.max(unacknowledged, again.length);
    for (const id of again) allowed.set(id, (allowed.get(id) ?? 0) + 1);
  }
  const program = start(file);
  await vi.waitFor(() => expect(accepted.size).toBe(ALARMS * PHONES), { timeout: 60_000, interval: 50 });
  await vi.waitFor(() => expect(states(file)).toEqual({ delivered: ALARMS * PHONES }), {
    timeout: 10_000,
    interval: 100,
  });
  program.kill("SIGKILL");
  await once(program, "close");

  const tooOften = [...accepted].filter(([id, count]) => count - 1 > (allowed.get(id) ?? 0));
  expect(tooOften).toEqual([]);
  // In flight are 20; what comes within an acknowledgement's 30 ms and its write is a few hundred at most.
  expect(unacknowledged).toBeLessThan(1000);
  const expected = Array.from({ length: ALARMS }, (_, index) => index + 1).flatMap((event) =>
    Array.from({ length: PHONES }, (_, phone) => `${1 + (event % 4)}:${event}:1/fcm:${phone}`),
  );
  expect([...accepted.keys()].sort()).toEqual(expected.sort());
}, 180_000);

function onLines(socket: Socket, listener: (line: string) => void): void {
  let rest = "";
  socket.on("data", (bytes) => {
    const lines = `${rest}${bytes}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) listener(line);
  });
}

function start(file: string): ChildProcess {
  const script = fileURLToPath(new URL("deliver-over-wire.ts", import.meta.url));
  const { port } = standIn.address() as AddressInfo;
  const args = [script, file, String(port), String(ALARMS), String(PHONES)];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Until what was on the wire when the program died has been read. */
async function settled(): Promise<void> {
  await eventually(async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    standIn.getConnections((_, count) => resolve(count));
    expect(await promise).toBe(0);
  });
}

function pending(file: string): readonly string[] {
  return read(file, (database) =>
    database
      .prepare(
        `SELECT a.key || '/' || d.recipient AS id FROM deliveries d JOIN alarms a ON a.id = d.alarm
         WHERE d.state = 'pending'`,
      )
      .all()
      .map(({ id }) => String(id)),
  );
}

function states(file: string): Readonly<Record<string, number>> {
  const rows = read(file, (database) =>
    database.prepare("SELECT state, count(*) AS n FROM deliveries GROUP BY state").all(),
  );
  return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]));
}

function read<T>(file: string, question: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return question(database);
  } finally {
    database.close();
  }
}
