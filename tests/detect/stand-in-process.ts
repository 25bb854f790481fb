// Stands in for the detector process: does what the cause of a job says, among it everything a process should not.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ToProcess } from "../../src/detect/resident/messages.ts";

const result = {
  frame: "snapshot",
  detections: [],
  rejected: [],
  original: null,
  analyzed: null,
  zones: [],
  timings: [],
  troubles: [],
};
const tell = (message: unknown): void => void process.send?.(message);
const cancelled = new Set<number>();

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToProcess) => {
  if (message.kind === "setup") tell({ kind: "ready" });
  else if (message.kind === "warm") tell({ kind: "warm", ms: 1, engines: ["stand-in"], troubles: [] });
  else if (message.kind === "cancel") cancelled.add(message.id);
  else if (message.kind === "run") run(message.id, message.job.cause);
});

function run(id: number, cause: string): void {
  const [what = "", value = ""] = cause.split(":");
  const answer = (): void =>
    tell({ kind: "answer", id, answer: { result, printed: `${cause} by ${process.pid}` } });
  switch (what) {
    case "hang":
      tell({ kind: "turn", id, is: "taken" });
      setImmediate(() => {
        for (;;);
      });
      return;
    case "wait":
      tell({ kind: "turn", id, is: "wanted" });
      return;
    case "crash":
      tell({ kind: "turn", id, is: "taken" });
      setImmediate(() => process.abort());
      return;
    case "crash-untold":
      setTimeout(() => process.abort(), 100);
      return;
    case "eat":
      tell({ kind: "turn", id, is: "taken" });
      setImmediate(() => eat());
      return;
    case "nonsense":
      tell("what?");
      tell({ kind: "answer", id, answer: { result: 5 } });
      tell({ kind: "answer", id: "x" });
      tell({ kind: "turn", id: 12_345, is: "taken" });
      answer();
      return;
    case "child": {
      const child = spawn("sleep", ["1000"], { detached: true });
      writeFileSync(join(tmpdir(), "left-over"), "x");
      tell({ kind: "answer", id, answer: { result, printed: `${child.pid} ${tmpdir()}` } });
      return;
    }
    case "environment":
      tell({ kind: "answer", id, answer: { result, printed: JSON.stringify(process.env) } });
      return;
    case "until-cancelled": {
      const timer = setInterval(() => {
        if (!cancelled.has(id)) return;
        clearInterval(timer);
        tell({ kind: "failed", id, why: "cancelled" });
      }, 10);
      return;
    }
    default:
      setTimeout(answer, Number(value) || 0);
  }
}

/** Until there is no memory left: a little more than it has is all it may have. */
function eat(): never {
  const pages = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[0]);
  execFileSync("prlimit", ["--pid", String(process.pid), `--as=${pages * 4096 + 300_000_000}`]);
  const all: unknown[] = [];
  for (;;) all.push(Buffer.alloc(50_000_000, 1));
}
