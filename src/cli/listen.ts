// `zmes listen`: our own client. Prints alarms as they come, and comes back when the connection goes.
import { askPassword } from "./ask-password.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { type ListenOptions, parseListenOptions } from "./listen/options.ts";
import { type AlarmEvent, listenOnce } from "./listen/session.ts";
import { alarmLine, jsonLine, printable } from "./listen/texts.ts";

export const listen: Command = {
  name: "listen",
  summary: "connect to a server and print alarms as they come",
  usage: "listen URL --user NAME [OPTIONS]",
  options: [
    { flag: "--user NAME", text: "a user of ZoneMinder" },
    { flag: "--monitors 1,2,5", text: "only these monitors" },
    { flag: "--intervals 0,60,0", text: "at least so many seconds between alarms of each of them" },
    { flag: "--json", text: "one JSON object per line, for scripts" },
    { flag: "--ca FILE", text: "trust this certificate (PEM), such as the server's self-signed one" },
    { flag: "--insecure", text: "accept any certificate" },
    { flag: "--count N", text: "end after N alarms" },
    { flag: "--no-reconnect", text: "end when the connection is lost" },
  ],
  notes: [
    "Example: `zmes listen wss://zm.example.org:9000 --user admin --ca zmes-ca.crt`",
    "The password is taken from the environment variable ZMES_PASSWORD, or asked for.",
    "URL is wss://host:9000 or ws://host:9000; a bare host or host:port means wss.",
    "Alarms go to standard output, everything else to standard error. Exit code 1: refused or lost.",
  ],
  async run(argv, io) {
    let options: ListenOptions;
    try {
      options = parseListenOptions(argv);
    } catch (error) {
      return refuseUsage(io, "listen", error instanceof Error ? error.message : String(error));
    }
    const password = io.env.ZMES_PASSWORD ?? (await askPassword(`Password of ${options.user}: `, io));
    // Whoever answers with Ctrl-C knows why.
    if (password === null && io.stdin.isTTY) return EXIT.failed;
    if (password === null) return refuseUsage(io, "listen", "no password: set ZMES_PASSWORD.");
    return keepListening(options, password, io);
  },
};

/** The first wait before connecting again; doubles up to the longest, which a server's restart never needs. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

async function keepListening(options: ListenOptions, password: string, io: CommandIo): Promise<number> {
  const stop = io.stopOrHangup();
  const enough = new AbortController();
  const ending = AbortSignal.any([stop, enough.signal]);
  let wait = FIRST_WAIT_MS;
  let alarms = 0;
  const handlers = {
    onLogin(serverVersion: string) {
      wait = FIRST_WAIT_MS;
      io.stderr.write(`Connected to ${options.url.host}, version ${printable(serverVersion)}.\n`);
    },
    onNotice(sentence: string) {
      io.stderr.write(`${sentence}\n`);
    },
    onAlarm(event: AlarmEvent) {
      if (enough.signal.aborted) return;
      io.stdout.write(options.json ? jsonLine(event, io.clock) : alarmLine(event, io.clock));
      alarms += 1;
      if (alarms >= options.count) enough.abort();
    },
  };
  for (;;) {
    const trouble = await listenOnce(options, password, handlers, ending);
    if (trouble === null || ending.aborted) return EXIT.ok;
    if (trouble.kind === "refused" || !options.reconnect) {
      io.stderr.write(`${trouble.message}\n`);
      return EXIT.failed;
    }
    // Jitter: after a restart of the server its clients must not all come back in the same moment.
    const pause = Math.round(wait * (0.5 + Math.random() / 2));
    io.stderr.write(`${trouble.message} Trying again in ${(pause / 1000).toFixed(1)} s.\n`);
    if (!(await sleep(pause, ending))) return EXIT.ok;
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

/** False when the signal came first. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const onAbort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
