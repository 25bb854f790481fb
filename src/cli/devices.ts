// `zmes devices`: the registered phones as their file has them.
import { parseOptions } from "../config/cli-options.ts";
import type { Config } from "../config/schema.ts";
import { type Device, pushesThisMonth, tokenEnd } from "../domain/device.ts";
import { escapeControls } from "../lib/log-text.ts";
import { becomeUser } from "../lib/privileges.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";
import { readStoredDevices } from "./stored-devices.ts";

export const devices: Command = {
  name: "devices",
  summary: "list the phones that registered for push",
  usage: "devices [--json] [OPTIONS]",
  options: [
    { flag: "--json", text: "print JSON instead of a table" },
    ...configOptions.filter(({ flag }) => /^--(config|token-file) /.test(flag)),
  ],
  notes: [
    "Of each token only the last characters are shown. A phone without owner comes from an old token file: it is told until its phone logs in, or until the day that is shown.",
  ],
  async run(argv, io) {
    const asJson = argv.includes("--json");
    const options = parseOptions(argv.filter((word) => word !== "--json"));
    for (const warning of options.warnings) io.stderr.write(`zmes: ${warning}\n`);
    if (options.rest.length > 0) return refuseUsage(io, "devices", "it takes options only.");
    const { config } = readConfiguration(options, io.env);
    const zoneminder = readZmConf(config.zoneminder.config);
    const values = zoneminder.ok ? zoneminder.conf.values : new Map<string, string>();
    becomeUser(values.get("ZM_WEB_USER"), values.get("ZM_WEB_GROUP"));
    const found = await readStoredDevices(config, io.clock.now());
    if (typeof found === "string") {
      io.stderr.write(`zmes devices: ${found}\n`);
      return EXIT.failed;
    }
    const rows = found.map((device) => rowOf(device, config, io.clock.now()));
    io.stdout.write(asJson ? `${JSON.stringify(rows, null, 2)}\n` : table(rows));
    return EXIT.ok;
  },
};

/** Enough to find the phone in the app's own settings. */
const SHOWN_CHARACTERS = 10;

/** A device as it is shown; no part of it is secret. */
interface Row {
  readonly token_end: string;
  readonly user: string | null;
  readonly adopted_until: string | null;
  readonly platform: string;
  readonly app: string;
  readonly profile: string | null;
  readonly monitors: string;
  readonly intervals: string;
  readonly state: string;
  readonly badge: number;
  readonly pushes_this_month: number;
  readonly monthly_cap: number | null;
  readonly last_success: string | null;
  readonly last_error: { readonly at: string; readonly reason: string } | null;
}

function rowOf(device: Device, { fcm }: Config, now: number): Row {
  const { lastSuccess, lastError, adoptedUntil } = device;
  return {
    token_end: tokenEnd(device.token, SHOWN_CHARACTERS),
    user: device.owner,
    adopted_until: adoptedUntil === null ? null : momentOf(adoptedUntil),
    platform: device.platform,
    app: device.app,
    profile: device.profile,
    monitors: device.monlist,
    intervals: device.intlist,
    state: device.pushState,
    badge: device.badge,
    pushes_this_month: pushesThisMonth(device.invocations, now),
    monthly_cap: fcm.monthly_cap,
    last_success: lastSuccess === null ? null : momentOf(lastSuccess),
    last_error: lastError === null ? null : { at: momentOf(lastError.at), reason: lastError.reason },
  };
}

/** ISO 8601; a moment outside the calendar, from a file somebody edited, is shown as its beginning. */
function momentOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

const HEADINGS = [
  "Phone",
  "User",
  "Platform",
  "Monitors",
  "Intervals",
  "State",
  "Badge",
  "Month",
  "Last success",
  "Last error",
];

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return "No phones are registered.\n";
  const cells = [HEADINGS, ...rows.map(cellsOf)].map((row) => row.map(escapeControls));
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function cellsOf(row: Row): string[] {
  const { monthly_cap: cap, last_error: error } = row;
  const month = cap === null ? `${row.pushes_this_month}` : `${row.pushes_this_month} of ${cap}`;
  const isCapped = cap !== null && row.pushes_this_month >= cap;
  return [
    `...${row.token_end}`,
    row.user === ""
      ? "(nobody logs in)"
      : (row.user ?? `(no owner, until ${row.adopted_until?.slice(0, 10) ?? "it logs in"})`),
    row.platform,
    row.monitors || "all",
    row.intervals || "-",
    row.state,
    `${row.badge}`,
    isCapped ? `${month}: no more` : month,
    row.last_success === null ? "never" : shortMoment(row.last_success),
    error === null ? "-" : `${shortMoment(error.at)} ${error.reason}`,
  ];
}

function shortMoment(iso: string): string {
  return `${iso.slice(0, 19).replace("T", " ")}Z`;
}
