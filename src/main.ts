// The program: argv in, exit code out.
import { runCommandLine } from "./cli/dispatch.ts";
import { commands } from "./cli/index.ts";
import { processIo } from "./cli/process-io.ts";

process.exit(await runCommandLine(commands, process.argv.slice(2), processIo()));
