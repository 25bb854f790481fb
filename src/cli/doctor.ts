// `zmes doctor`: looks at everything the server needs, and says what is wrong with the command that puts it right.
import { parseArgs } from "node:util";
import { AppError, reasonOf } from "../lib/errors.ts";
import { becomeUser, usualUser } from "../lib/privileges.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { askPassword } from "./ask-password.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import { problem, runChecks } from "./doctor/check.ts";
import { checks } from "./doctor/checks.ts";
import { findPortHolder } from "./doctor/port-holder.ts";
import { hasProblem, jsonReport, printable, type Screen, textReport } from "./doctor/report.ts";
import { selfTest } from "./doctor/self-test.ts";
import { createSubject, type Subject } from "./doctor/subject.ts";
import { typedName } from "./typed-name.ts";
import { programVersion } from "./version.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "look at everything the server needs, and say how to put right what is wrong",
  usage: "doctor [--config FILE] [--json] [--url wss://HOST:9000] [--user NAME]",
  options: [
    { flag: "--config FILE", text: "the configuration to look at" },
    { flag: "--json", text: "one JSON object, for programs" },
    { flag: "--url URL", text: "connect to this address, as phones do, instead of to our own port" },
    { flag: "--user NAME", text: "try a login too; the password is taken from ZMES_PASSWORD, or asked for" },
  ],
  notes: [
    "As root it becomes the user that the server runs as, so that it sees what the server sees. Nothing is changed and nothing is sent to anybody.",
    "With --url, on a machine that has no configuration of zmes, only the way to that address is looked at.",
    "The exit code is 0 when there is no problem (warnings are none), otherwise 1.",
  ],
  async run(argv, io) {
    const options = readOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "doctor", options);
    const login = await loginOf(options.user, io);
    if (login === "none") return refuseUsage(io, "doctor", "no password: set ZMES_PASSWORD.");
    const { config = null, url, json } = options;
    try {
      return await examine({ configPath: config, url, login, json }, io);
    } catch (failure) {
      // Nothing can be seen as the server sees it where its user does not exist.
      if (!(failure instanceof AppError)) throw failure;
      const findings = [problem(failure.message, `${failure.hint} [${failure.code}]`)];
      const outcomes = [printable({ check: "system", title: "System", findings }, typedName(io.env))];
      io.stdout.write(json ? jsonReport(outcomes, programVersion) : textReport(outcomes, screenOf(io)));
      return EXIT.failed;
    }
  },
};

export interface Examination {
  readonly configPath: string | null;
  readonly url: URL | null;
  readonly login: Subject["login"];
  readonly json: boolean;
}

/** Runs the checks and prints the report; gives the exit code. Root becomes the web user for good. */
export async function examine({ configPath, url, login, json }: Examination, io: CommandIo): Promise<number> {
  // Its own folder may be closed to the user it becomes.
  const name = typedName(io.env);
  const first = readConfiguration({ overrides: [], configPath }, io.env);
  // A computer on which a client runs: everything but the way to the server is none of its business.
  const isElsewhere = url !== null && configPath === null && first.source.absent;
  const asRoot = readZmConf(first.config.zoneminder.config);
  const values = asRoot.ok ? asRoot.conf.values : new Map<string, string>();
  // Only root sees whose the port is, when it is not ours.
  const holder = findPortHolder(first.config.network.port);
  const webUser = values.get("ZM_WEB_USER") ?? null;
  const became = isElsewhere ? null : becomeUser(webUser ?? undefined, values.get("ZM_WEB_GROUP"));
  // Read again: what counts is what that user can read.
  const loaded = readConfiguration({ overrides: [], configPath }, io.env);
  const { subject, close } = createSubject({
    loaded,
    zoneminder: readZmConf(loaded.config.zoneminder.config),
    webUser: webUser || (became ?? usualUser()),
    holder,
    url,
    login,
    clock: io.clock,
  });
  try {
    const outcomes = (await runChecks(isElsewhere ? [selfTest] : checks, subject)).map((outcome) =>
      printable(outcome, name),
    );
    io.stdout.write(json ? jsonReport(outcomes, programVersion) : textReport(outcomes, screenOf(io)));
    return hasProblem(outcomes) ? EXIT.failed : EXIT.ok;
  } finally {
    await close();
  }
}

interface Options {
  readonly config?: string | undefined;
  readonly json: boolean;
  readonly url: URL | null;
  readonly user?: string | undefined;
}

function readOptions(argv: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: "string" },
        json: { type: "boolean" },
        url: { type: "string" },
        user: { type: "string" },
      },
      allowPositionals: false,
    });
    const url = values.url === undefined ? null : parseUrl(values.url);
    if (url === "bad")
      return "--url takes an address such as wss://zm.example.org:9000, without user and password.";
    return { config: values.config, json: values.json === true, url, user: values.user };
  } catch (failure) {
    return reasonOf(failure);
  }
}

function parseUrl(text: string): URL | "bad" {
  const url = URL.parse(text.includes("://") ? text : `wss://${text}`);
  if (url === null || !/^wss?:$/.test(url.protocol)) return "bad";
  return url.username === "" && url.password === "" ? url : "bad";
}

async function loginOf(user: string | undefined, io: CommandIo): Promise<Subject["login"] | "none"> {
  if (user === undefined) return null;
  const password = io.env.ZMES_PASSWORD ?? (await askPassword(`Password of ${user}: `, io));
  return password === null ? "none" : { user, password };
}

/** https://no-color.org */
function screenOf({ stdout, env }: CommandIo): Screen {
  const isTerminal = "isTTY" in stdout && stdout.isTTY === true;
  const columns =
    isTerminal && "columns" in stdout && typeof stdout.columns === "number" ? stdout.columns : 0;
  // A terminal that does not know its width says 0.
  return {
    colour: isTerminal && !env.NO_COLOR,
    columns: columns > 0 ? Math.min(columns, MAX_COLUMNS) : null,
  };
}

/** Longer lines are hard to follow. */
const MAX_COLUMNS = 140;
