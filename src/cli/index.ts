// The list of commands. A new command is a file of its own and a line here.
import { checkConfig } from "./check-config.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { exampleConfig } from "./example-config.ts";
import { createHelp } from "./help.ts";
import { listen } from "./listen.ts";
import { run } from "./run.ts";
import { version } from "./version.ts";

const explained: readonly Command[] = [run, checkConfig, exampleConfig, listen, demo, version];

export const commands: readonly Command[] = [...explained, createHelp(explained)];
