// The list of checks, in the order they are shown. A new check is a file of its own and a line here.
import { certificate } from "./certificate.ts";
import type { Check } from "./check.ts";
import { clock } from "./clock.ts";
import { configuration } from "./configuration.ts";
import { dataDirectory, disk, tokenFile } from "./data.ts";
import { database } from "./database.ts";
import { detection } from "./detection.ts";
import { doublePush } from "./double-push.ts";
import { hooks } from "./hooks.ts";
import { mqtt } from "./mqtt.ts";
import { original } from "./original.ts";
import { port } from "./port.ts";
import { push } from "./push.ts";
import { selfTest } from "./self-test.ts";
import { sharedMemory } from "./shared-memory.ts";
import { starter } from "./starter.ts";
import { system } from "./system.ts";
import { zoneminder } from "./zoneminder.ts";

export const checks: readonly Check[] = [
  system,
  zoneminder,
  database,
  sharedMemory,
  configuration,
  certificate,
  dataDirectory,
  tokenFile,
  disk,
  clock,
  push,
  mqtt,
  hooks,
  detection,
  doublePush,
  original,
  starter,
  port,
  selfTest,
];
