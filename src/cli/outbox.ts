// `zmes outbox`: the notices that wait or were given up, and what to do with them.
import type { Config } from "../config/schema.ts";
import { explainWaiting } from "../delivery/history.ts";
import type { ChannelName } from "../domain/notice.ts";
import type { HistoryFile } from "../store/history-file.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { findDataFile } from "./data-file.ts";
import { printable } from "./listen/texts.ts";
import { withHistory } from "./why.ts";

export const outbox: Command = {
  name: "outbox",
  summary: "list notices that wait or were given up, send them again, or drop them",
  usage: "outbox [list | retry ID | retry all | drop ID] [OPTIONS]",
  options: configOptions.filter(({ flag }) => flag.startsWith("--config ")),
  notes: [
    "The ID of a notice is in the first column of the list.",
    "`retry all` sends everything again that was given up. A running server notices within two seconds; otherwise the next start does.",
  ],
  async run(argv, io) {
    const { path, config, rest } = findDataFile(argv, io);
    const [verb = "list", id, ...more] = rest;
    if (verb === "list" && id === undefined)
      return withHistory(path, { write: false }, io, (file) => list(file, io));
    const wanted = id === undefined || more.length > 0 ? null : parseId(id);
    if (verb === "retry" && (id === "all" || wanted !== null))
      return withHistory(path, { write: true }, io, (file) => retry(file, wanted, lifetimesOf(config), io));
    if (verb === "drop" && wanted !== null)
      return withHistory(path, { write: true }, io, (file) => drop(file, wanted, io));
    return refuseUsage(io, "outbox", "it takes list, retry ID, retry all or drop ID.");
  },
};

/** More would scroll away; the counts below the list are of all of them. */
const SHOWN = 1000;

function list(file: HistoryFile, io: CommandIo): number {
  const { pending, dead } = file.counts();
  const now = io.clock.now();
  for (const { alarm, delivery } of file.outbox(SHOWN))
    io.stdout.write(
      `${String(delivery.id).padStart(7)}  ${printable(explainWaiting({ alarm }, delivery, now))}\n`,
    );
  io.stdout.write(`${pending} waiting, ${dead} given up.\n`);
  return EXIT.ok;
}

/** How long each channel tries, in ms. */
function lifetimesOf({ fcm, mqtt, push }: Config): ReadonlyMap<ChannelName, number> {
  return new Map([
    ["fcm", fcm.expires_after * 1000],
    ["mqtt", mqtt.expires_after * 1000],
    ["script", push.expires_after * 1000],
  ]);
}

function retry(
  file: HistoryFile,
  id: number | null,
  lifetimes: ReadonlyMap<ChannelName, number>,
  io: CommandIo,
): number {
  const done = file.retry(id, io.clock.now(), lifetimes);
  if (id !== null && done === 0) return unknown(io, id, "was delivered, never to be sent, or is not known");
  io.stdout.write(`${done === 1 ? "1 notice is" : `${done} notices are`} sent again.\n`);
  return EXIT.ok;
}

function drop(file: HistoryFile, id: number, io: CommandIo): number {
  if (file.drop(id, io.clock.now()) === 0) return unknown(io, id, "does not wait");
  io.stdout.write("1 notice is dropped.\n");
  return EXIT.ok;
}

function unknown(io: CommandIo, id: number, what: string): number {
  io.stderr.write(`zmes outbox: notice ${id} ${what}.\n`);
  return EXIT.failed;
}

function parseId(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
