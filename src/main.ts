// The program: argv in, exit code out.
import { processIo } from "./cli/process-io.ts";

const argv = process.argv.slice(2);
process.exit(await (argv[0] === "detect-script" && argv.length > 2 ? script() : command()));

/** ZoneMinder waits for these: nothing else is loaded for them, see detect-script.ts. */
async function script(): Promise<number> {
  const { detectScript } = await import("./cli/detect-script.ts");
  return detectScript.run(argv.slice(1), processIo());
}

async function command(): Promise<number> {
  const [{ runCommandLine }, { commands }] = await Promise.all([
    import("./cli/dispatch.ts"),
    import("./cli/index.ts"),
  ]);
  return runCommandLine(commands, argv, processIo());
}
