// The list of commands. A new command is a file of its own and a line here.
import { checkConfig } from "./check-config.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { detect } from "./detect.ts";
import { detectScript } from "./detect-script.ts";
import { devices } from "./devices.ts";
import { doctor } from "./doctor.ts";
import { exampleConfig } from "./example-config.ts";
import { exportCommand } from "./export.ts";
import { createHelp } from "./help.ts";
import { importCommand } from "./import.ts";
import { installDaemon } from "./install-daemon.ts";
import { listen } from "./listen.ts";
import { models } from "./models.ts";
import { outbox } from "./outbox.ts";
import { pictures } from "./pictures.ts";
import { rules } from "./rules.ts";
import { run } from "./run.ts";
import { setup } from "./setup.ts";
import { testPush } from "./test-push.ts";
import { version } from "./version.ts";
import { why } from "./why.ts";

const explained: readonly Command[] = [
  run,
  setup,
  doctor,
  checkConfig,
  exampleConfig,
  importCommand,
  exportCommand,
  why,
  outbox,
  rules,
  devices,
  testPush,
  detect,
  models,
  detectScript,
  pictures,
  listen,
  installDaemon,
  demo,
  version,
];

export const commands: readonly Command[] = [...explained, createHelp(explained)];
