// Writes marks without end and prints each number once it is on the disk; killed by the test that starts it.
import { monitorId } from "../../src/domain/monitor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createStore } from "../../src/store/store.ts";

const store = createStore({
  path: process.argv[2] ?? "",
  logger: createLogger([]).logger,
  clock: systemClock,
});
await store.start(new AbortController().signal);
const monitor = monitorId(1);
for (let edge = 1; monitor !== null; edge += 1) {
  store.put([{ monitor, event: null, edge, at: edge, open: true }]);
  if (await store.flush()) process.stdout.write(`${edge}\n`);
}
