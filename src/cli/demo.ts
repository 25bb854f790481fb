// `zmes demo`: the whole server over a simulated ZoneMinder, for trying it out on any machine.
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulatedZoneMinder, type SimulatedZoneMinder } from "../demo/simulated-zoneminder.ts";
import type { Alarm } from "../domain/alarm.ts";
import { AppError } from "../lib/errors.ts";
import { createLogger, type LogDestination } from "../lib/log.ts";
import { lineText } from "../lib/log-text.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { type DemoOptions, parseDemoOptions } from "./demo/options.ts";
import { createDemoServer, DEMO_ADDRESS, type DemoServer } from "./demo/server.ts";
import {
  type Delivery,
  type DemoAccess,
  type DemoPrograms,
  deliveryLine,
  demoBanner,
  programsFrom,
} from "./demo/texts.ts";

export const demo: Command = {
  name: "demo",
  summary: "try it out: the server over a simulated ZoneMinder",
  usage: "demo [OPTIONS]",
  options: [
    { flag: "--monitors N", text: "how many cameras (4)" },
    { flag: "--every SECONDS", text: "from one alarm to the next (5)" },
    { flag: "--port P", text: "port on 127.0.0.1 (9000); 0 takes any free one" },
  ],
  notes: [
    "Needs no ZoneMinder, no database and no root. Prints how to connect, then each alarm as it is delivered.",
    "Ctrl-C ends it and leaves nothing behind.",
  ],
  async run(argv, io) {
    let options: DemoOptions;
    try {
      options = parseDemoOptions(argv);
    } catch (error) {
      return refuseUsage(io, "demo", error instanceof Error ? error.message : String(error));
    }
    const stop = io.stopOrHangup();
    const directory = mkdtempSync(join(memoryFolder(), `zmes-demo-${process.pid}-`));
    try {
      return await runDemo(options, directory, stop, io);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function runDemo(
  options: DemoOptions,
  directory: string,
  stop: AbortSignal,
  io: CommandIo,
): Promise<number> {
  const mapPath = join(directory, "shm");
  mkdirSync(mapPath);
  const simulation = createSimulatedZoneMinder({ directory: mapPath, ...options, clock: io.clock });
  const server = createDemoServer({
    simulation,
    mapPath,
    dataPath: directory,
    port: options.port,
    clock: io.clock,
    logger: createLogger([troubleOnly(io)]).logger,
    onTold(alarms, clients) {
      for (const alarm of alarms)
        io.stdout.write(deliveryLine(describeDelivery(alarm, clients, simulation, io)));
    },
  });
  try {
    await server.daemon.start(stop);
    simulation.start();
    io.stdout.write(
      demoBanner(accessTo(server, options.port), namesOf(simulation), options.everyMs, programs()),
    );
    await aborted(stop);
    io.stdout.write("\nStopped; nothing is left behind.\n");
    return EXIT.ok;
  } catch (error) {
    if (stop.aborted) return EXIT.ok;
    io.stderr.write(`${startProblem(error)}\n`);
    return EXIT.failed;
  } finally {
    simulation.stop();
    await server.daemon.stop();
  }
}

/** What is told is shown anyway, in the demonstration's own words; of the log, only trouble is of interest. */
function troubleOnly(io: CommandIo): LogDestination {
  return {
    name: "demo",
    level: "warn",
    write: (record) => io.stderr.write(`${lineText(record)}\n`),
    close: async () => {},
  };
}

/** Memory rather than a disk, where ZoneMinder has these files too; any temporary folder does as well. */
function memoryFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

function accessTo({ daemon, user, password }: DemoServer, wantedPort: number): DemoAccess {
  const port = daemon.address()?.port ?? wantedPort;
  return { url: `ws://${DEMO_ADDRESS}:${port}`, user, password };
}

/** This file lies two folders below the program's, in src/cli and in dist/cli. */
function programs(): DemoPrograms {
  const root = join(import.meta.dirname, "../..");
  return programsFrom(root, process.cwd(), existsSync(join(root, "node_modules/.bin/wscat")));
}

function namesOf(simulation: SimulatedZoneMinder): readonly string[] {
  return simulation.monitors.map(({ name }) => name);
}

function describeDelivery(
  alarm: Alarm,
  clients: number,
  simulation: SimulatedZoneMinder,
  { clock }: CommandIo,
): Delivery {
  const written = alarm.eventId === null ? undefined : simulation.written(alarm.eventId);
  return {
    at: clock.now(),
    camera: alarm.monitor.name,
    monitor: alarm.monitor.id,
    cause: alarm.cause,
    eventId: alarm.eventId,
    clients,
    latencyMs: written === undefined ? null : clock.monotonic() - written.writtenAt,
  };
}

/** A busy port has a way out of its own here; everything else brings its hint along. */
function startProblem(error: unknown): string {
  if (!(error instanceof AppError)) return `The demonstration could not start: ${error}`;
  if (error.code === "NETWORK_PORT_IN_USE")
    return `${error.message}. Take any free one: ${programs().onFreePort}`;
  return `${error.message}. ${error.hint}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
