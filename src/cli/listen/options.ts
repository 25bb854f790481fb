// Reads the command line of `zmes listen`: the address, the filter and how far to trust.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export interface ListenOptions {
  readonly url: URL;
  readonly user: string;
  /** As the protocol wants them: "1,2,5"; empty means every monitor. */
  readonly monitors: string;
  /** Seconds, by position in `monitors`: "0,60"; empty means 0 for all. */
  readonly intervals: string;
  readonly json: boolean;
  readonly insecure: boolean;
  /** PEM text of a certificate authority (or of a self-signed certificate). */
  readonly ca: string | undefined;
  readonly reconnect: boolean;
  /** End after so many alarms; Infinity: never. */
  readonly count: number;
}

/** The port where zmes listens when nobody chose another. */
const DEFAULT_PORT = "9000";

/** Throws an Error with a sentence for people when the call is wrong. */
export function parseListenOptions(argv: readonly string[]): ListenOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      user: { type: "string", short: "u" },
      monitors: { type: "string", default: "" },
      intervals: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      insecure: { type: "boolean", default: false },
      ca: { type: "string" },
      "no-reconnect": { type: "boolean", default: false },
      count: { type: "string" },
    },
  });
  const [address, ...others] = positionals;
  if (address === undefined) throw new Error("the address of the server is missing.");
  if (others.length > 0) throw new Error(`one address is enough; "${others[0]}" is too much.`);
  if (!values.user) throw new Error("--user NAME is missing.");
  const monitors = numberList("--monitors", values.monitors, /^[1-9]\d*$/);
  const intervals = numberList("--intervals", values.intervals, /^\d+$/);
  if (intervals !== "" && monitors === "")
    throw new Error("--intervals belong to the monitors of --monitors, by position.");
  return {
    url: parseAddress(address),
    user: values.user,
    monitors,
    intervals,
    json: values.json,
    insecure: values.insecure,
    ca: values.ca === undefined ? undefined : readCertificate(values.ca),
    reconnect: !values["no-reconnect"],
    count: parseCount(values.count),
  };
}

/** `host:port`, `host`, `ws://...` or `wss://...`; without a scheme it is wss, as zmes is set up by default. */
export function parseAddress(text: string): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  const candidate = scheme ? text.replace(/^http/i, "ws") : `wss://${text}`;
  if (!URL.canParse(candidate))
    throw new Error(`"${text}" is not an address. Examples: wss://zm.example:9000, 192.168.1.5:9000`);
  const url = new URL(candidate);
  if (url.protocol !== "ws:" && url.protocol !== "wss:")
    throw new Error(`"${scheme}://" is not a WebSocket address; use ws:// or wss://.`);
  if (url.username || url.password)
    throw new Error("name and password do not belong in the address: use --user and ZMES_PASSWORD.");
  // Only a bare host gets our port: with a scheme, no port means the scheme's own (a reverse proxy).
  if (!scheme && !/:\d+$/.test(text.replace(/[/?#].*$/, ""))) url.port = DEFAULT_PORT;
  url.hash = "";
  return url;
}

function numberList(flag: string, text: string, entry: RegExp): string {
  if (text.trim() === "") return "";
  const entries = text.split(",").map((part) => part.trim());
  const wrong = entries.find((part) => !entry.test(part));
  if (wrong !== undefined)
    throw new Error(`${flag} takes numbers with commas, such as 1,2,5, not "${text}".`);
  return entries.join(",");
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--count takes a number from 1, not "${text}".`);
  return Number(text);
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`--ca: cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}
