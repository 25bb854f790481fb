// A process that does nothing but wake every 10 ms: what watching costs before anything is watched.
import { answerCalls, cpuMs } from "./child.ts";

export interface TimerCalls {
  setRunning(running: boolean): void;
  cpuMs(): number;
}

const INTERVAL_MS = 10;

await answerCalls((): TimerCalls => {
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    timer = setTimeout(tick, INTERVAL_MS);
  };
  return {
    setRunning(running) {
      clearTimeout(timer);
      if (running) tick();
    },
    cpuMs,
  };
});
