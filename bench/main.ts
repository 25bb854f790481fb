// `npm run bench`: runs the benches that were named, or all, one after the other, and says what they found.
import type { Bench } from "./bench.ts";
import { delivery } from "./delivery.ts";
import { detect } from "./detect.ts";
import { fanout } from "./fanout.ts";
import { hooks } from "./hooks.ts";
import { latency } from "./latency.ts";
import { logins } from "./logins.ts";
import { many } from "./many.ts";
import { type Result, rounded, table } from "./result.ts";

const BENCHES: readonly Bench[] = [latency, fanout, logins, many, delivery, hooks, detect];

const HELP = `Measures the server: npm run bench [NAME...] [-- --json]

${BENCHES.map(({ name, about }) => `  ${name.padEnd(9)} ${about}`).join("\n")}

Without a name all of them, one after the other; nothing else should run on the machine meanwhile.
  --json    one JSON array of {bench, metric, value, unit, target, floor} on standard output, and nothing else
  --help    this text
A target is the most a value may be. The floor is the same thing measured without us in the same run (a bare \`ws\`
server, an empty timer); where the value is a ratio or a difference, it is one to the floor.
The exit code is 0 when every bench could be run, whether its targets are met or not.
ZMES_BENCH_PROFILE=FOLDER keeps CPU profiles of all processes there.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const options = words.filter((word) => word.startsWith("-"));
  const names = words.filter((word) => !word.startsWith("-"));
  const unknown = [
    ...options.filter((option) => !["--json", "--help", "-h"].includes(option)),
    ...names.filter((name) => !BENCHES.some((bench) => bench.name === name)),
  ];
  if (unknown.length > 0) {
    process.stderr.write(`What is ${unknown.join(", ")}?\n\n${HELP}`);
    return 2;
  }
  if (options.includes("--help") || options.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  // Ends the way that clears everything away.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const { results, failed } = await runAll(
    BENCHES.filter(({ name }) => names.length === 0 || names.includes(name)),
  );
  process.stdout.write(options.includes("--json") ? `${JSON.stringify(results)}\n` : table(results));
  return failed ? 1 : 0;
}

async function runAll(benches: readonly Bench[]): Promise<{ results: readonly Result[]; failed: boolean }> {
  const results: Result[] = [];
  let failed = false;
  for (const bench of benches) {
    const say = (text: string): void => void process.stderr.write(`${bench.name}: ${text}\n`);
    try {
      for (const metric of await bench.run(say)) {
        const { value, floor } = metric;
        results.push({
          bench: bench.name,
          ...metric,
          value: rounded(value),
          floor: floor === null ? null : rounded(floor),
        });
      }
    } catch (failure) {
      failed = true;
      say(`could not be run: ${failure instanceof Error ? failure.message : failure}`);
    }
  }
  return { results, failed };
}
