/** The client in JavaScript that docs/clients.md shows works against the real server as it stands there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { anAlarm, briefed } from "../support/builders.ts";
import { root } from "../support/docs-pages.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger, startServer, type TestServer } from "../support/server.ts";

const page = readFileSync(join(root, "docs/clients.md"), "utf8");
const script = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";

let server: TestServer | null = null;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.onclose = null;
    socket.close();
  }
  await server?.stop();
});

/** Runs the script as it stands but for its address; gives what it prints. */
function run(url: string, password: string, setTimeout: (work: () => void, ms: number) => void): string[] {
  const lines: string[] = [];
  class Socket extends WebSocket {
    constructor(address: string) {
      super(address);
      sockets.push(this);
    }
  }
  const code = script.replace("wss://zm.example.org:9000", url).replace('"secret"', JSON.stringify(password));
  runInNewContext(code, {
    WebSocket: Socket,
    setTimeout,
    console: { log: (line: string) => lines.push(line) },
  });
  return lines;
}

test("it logs in and prints alarms", async () => {
  server = await startServer();
  const { url, server: running, messages } = server;
  const lines = run(url, "secret", setTimeout);
  await eventually(() => expect(messages().join("\n")).toContain("Correct authentication"));
  const alarm = anAlarm({ cause: "Motion Drive" });
  createWebSocketChannel({
    sessions: running.sessions,
    clock: systemClock,
    logger: recordingLogger([]),
  }).tell(briefed([alarm]));
  const expected = `${alarm.monitor.name}: Motion Drive (event ${alarm.eventId})`;
  await eventually(() => expect(lines).toEqual([expected]));
});

test("it comes back when the connection is lost, and waits longer each time it finds nobody", async () => {
  server = await startServer();
  const waits: number[] = [];
  run(server.url, "secret", (work, ms) => {
    waits.push(ms);
    if (waits.length < 4) work();
  });
  const { messages } = server;
  await eventually(() => expect(messages().join("\n")).toContain("Correct authentication"));
  await server.stop();
  await eventually(() => expect(waits).toEqual([1000, 2000, 4000, 8000]));
});

test("it does not repeat a refused password", async () => {
  server = await startServer();
  const waits: number[] = [];
  run(server.url, "wrong", (_work, ms) => waits.push(ms));
  await eventually(() => expect(sockets[0]?.readyState).toBe(WebSocket.CLOSED));
  expect(waits).toEqual([]);
});
