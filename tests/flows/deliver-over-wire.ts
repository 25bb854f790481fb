// A program that decides alarms and delivers them to a stand-in over a socket; killed by the test that starts it.
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { createOutbox } from "../../src/delivery/outbox.ts";
import { DeliveryError } from "../../src/domain/delivery-error.ts";
import type { Notice } from "../../src/domain/notice.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTerminal } from "../../src/lib/log-terminal.ts";
import { createStore } from "../../src/store/store.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { aPerson, createFakeChannel } from "../support/fake-channel.ts";
import { aDecision } from "../support/outbox.ts";

const [file = "", port = "0", alarms = "0", phones = "0"] = process.argv.slice(2);
const { logger } = createLogger([createTerminal({ level: "warn", format: "lines" })]);
const clock = systemClock;
const people = Array.from({ length: Number(phones) }, (_, index) => aPerson(String(index)));

const wire = connect(Number(port), "127.0.0.1");
const asked = new Map<string, (answer: string) => void>();
createInterface(wire).on("line", (line) => {
  const [id = "", answer = ""] = line.split(" ");
  asked.get(id)?.(answer);
  asked.delete(id);
});
const channel = createFakeChannel({ concurrency: 20, deliver: ask });

const store = createStore({ path: file, logger, clock });
const outbox = createOutbox({
  channels: [channel],
  store,
  history: { keep: 14 },
  clock,
  logger,
  random: () => 0,
});
const { signal } = new AbortController();
await store.start(signal);
const done = Math.max(0, ...(await store.marks()).map(({ event }) => event ?? 0));
await outbox.start(signal);
for (let event = done + 1; event <= Number(alarms); event += 1) {
  const monitor = aMonitor({ id: mid(1 + (event % 4)) });
  const alarm = anAlarm({ eventId: eid(event), monitor, seenAt: clock.now() });
  outbox.put([aDecision(alarm, people, { lifetimeMs: 3_600_000 })]);
  // As fast as a very busy site; all of them at once would be one transaction.
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await store.flush();
process.stdout.write("decided\n");

async function ask({ id }: Notice): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  asked.set(id, resolve);
  wire.write(`${id}\n`);
  if ((await promise) === "busy") throw new DeliveryError("retry", "503", 5);
  return "accepted";
}
