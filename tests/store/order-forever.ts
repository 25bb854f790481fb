// Gives orders and changes settings again and again, until it is killed.
import pino from "pino";
import { monitorId } from "../../src/domain/monitor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createControl } from "../../src/store/overrides.ts";

const [directory = ""] = process.argv.slice(2);
const control = createControl({
  directory,
  isOn: () => true,
  clock: systemClock,
  logger: pino({ level: "silent" }),
});
await control.start(new AbortController().signal);
const monitors = Array.from({ length: 2000 }, (_, index) => monitorId(index + 1) ?? []).flat();
for (let round = 1; ; round++) {
  await control.keepSettings(new Map([["customize.repeat_cooldown", String(round)]]));
  await control.order(monitors, { control: "muted", until: null });
  if (round === 3) process.stdout.write("writing\n");
}
