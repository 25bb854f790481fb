// The process that makes moving pictures: started by resident/animator.ts, and not ended with a detector that hangs or rests.
import { rmSync } from "node:fs";
import { systemClock } from "../lib/clock.ts";
import { createLogger } from "../lib/log.ts";
import { createAnimations } from "./output/animation.ts";
import { keepFrugalityFromChildren } from "./resident/frugality.ts";
import { standBack } from "./resident/humility.ts";
import type { FromProcess, ToProcess } from "./resident/messages.ts";

const { logger } = createLogger([
  {
    name: "daemon",
    level: "debug",
    write: ({ level, message }) => {
      const known = level === "debug" || level === "info" || level === "warn" ? level : "error";
      tell({ kind: "log", level: level === "trace" ? "debug" : known, text: message });
    },
    close: async () => undefined,
  },
]);
keepFrugalityFromChildren();
const animations = createAnimations({ ffmpeg: "ffmpeg", clock: systemClock, logger });

process.on("message", (message: ToProcess) => {
  if (message.kind === "setup") standBack(message.setup.niceness);
  if (message.kind !== "animate") return;
  animations.add(message.job, message.result);
  void animations.idle().then(() => tell({ kind: "animated" }));
});

// Nobody is there any more, or there is nothing left to do: what was asked for is made all the same.
process.on("disconnect", () => {
  void animations.idle().then(() => {
    const { TMPDIR } = process.env; // its own
    if (TMPDIR !== undefined) rmSync(TMPDIR, { recursive: true, force: true });
    process.exit(0);
  });
});

function tell(message: FromProcess): void {
  if (process.connected) process.send?.(message);
}
