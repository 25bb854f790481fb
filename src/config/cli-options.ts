// The command-line options of the original, read by its rules (Perl's Getopt::Long).
import { printableName } from "./raw-file.ts";
import type { Override } from "./read-entries.ts";
import type { KeyPath } from "./schema.ts";
import { nearest } from "./words.ts";

/** An option, for the help text as well. */
export interface Option {
  readonly name: string;
  /** How the value is called in the help text; null for options that are switched on or off. */
  readonly value: string | null;
  /** The key of the configuration it stands above; null for what the command itself does. */
  readonly path: KeyPath | null;
  readonly about: string;
}

/** What the command line asked for. */
export interface ParsedOptions {
  readonly overrides: readonly Override[];
  readonly configPath: string | null;
  readonly checkConfig: boolean;
  readonly debug: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** For stderr. As in the original, what is not understood is named and otherwise ignored. */
  readonly warnings: readonly string[];
  /** What is no option, in order. */
  readonly rest: readonly string[];
}

/** Every option of 1.0 and 3.2, and the later --version and --debug. */
export const options: readonly Option[] = [
  option("help", null, null, "show this help"),
  option("version", null, null, "show the version"),
  option("config", "FILE", null, "read this configuration file"),
  option("check-config", null, null, "show the configuration as it is understood, and stop"),
  option("debug", null, null, "log in detail, on the console as well"),
  option("port", "N", "network.port", "port to listen on"),
  option("address", "A", "network.address", "address to listen on"),
  option("enable-auth", null, "auth.enable", "clients must log in"),
  option("enable-fcm", null, "fcm.enable", "tell phones by push"),
  option("fcm-api-key", "K", "fcm.api_key", "legacy key of FCM"),
  option("token-file", "F", "fcm.token_file", "file that keeps the registered phones"),
  option("enable-mqtt", null, "mqtt.enable", "publish alarms by MQTT"),
  option("mqtt-server", "S", "mqtt.server", "the broker"),
  option("mqtt-username", "U", "mqtt.username", "user name at the broker"),
  option("mqtt-password", "P", "mqtt.password", "password at the broker"),
  option("enable-ssl", null, "ssl.enable", "clients connect with TLS"),
  option("ssl-cert-file", "F", "ssl.cert", "certificate"),
  option("ssl-key-file", "F", "ssl.key", "private key of the certificate"),
  option("verbose", null, "customize.verbose", "show the log on the console"),
  option("event-check-interval", "N", "customize.event_check_interval", "no longer needed"),
  option(
    "monitor-reload-interval",
    "N",
    "customize.monitor_reload_interval",
    "seconds between two looks at the list of monitors",
  ),
  option("read-alarm-cause", null, "customize.read_alarm_cause", "no longer needed"),
  option("tag-alarm-event-id", null, "customize.tag_alarm_event_id", "name the event in the title"),
  option(
    "use-custom-notification-sound",
    null,
    "customize.use_custom_notification_sound",
    "no longer needed",
  ),
  option("hook-script", "F", "hook.hook_script", "script run for each alarm"),
  option("use-hook-description", null, "hook.use_hook_description", "use the text the script returns"),
  option("keep-frame-match-type", null, "hook.keep_frame_match_type", "keep [a] or [s] in that text"),
  option("store-frame-in-zm", null, "hook.hook_pass_image_path", "give the script the folder of the event"),
  option("skip-monitors", "LIST", "hook.hook_skip_monitors", "monitors without a script"),
  option("picture-url", "U", "customize.picture_url", "address of the picture of an alarm"),
  option("include-picture", null, "customize.include_picture", "messages carry a picture"),
];

/**
 * Reads the arguments by the rules of Getopt::Long: one or two dashes, any case, hyphens or underscores, unique
 * abbreviations, `--x=v` and `--x v`, `--no-x` and `--nox`. node's own parseArgs knows neither abbreviations nor
 * long options behind a single dash, so nothing would be left for it to do. Never throws.
 */
export function parseOptions(argv: readonly string[]): ParsedOptions {
  const given = new Map<string, string>();
  const warnings: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (argument === "--") {
      rest.push(...argv.slice(index + 1));
      break;
    }
    const match = /^--?([^-=\s][^=]*)(?:=([\s\S]*))?$/.exec(argument);
    if (!match) {
      rest.push(argument);
      continue;
    }
    const read = readOption(match[1] ?? "", match[2], argv[index + 1]);
    if (!read.ok) {
      warnings.push(read.why);
      continue;
    }
    given.set(read.name, read.text);
    if (read.tookNext) index += 1;
  }
  return { ...summarise(given), warnings, rest };
}

type Read =
  | { readonly ok: true; readonly name: string; readonly text: string; readonly tookNext: boolean }
  | { readonly ok: false; readonly why: string };

function readOption(typed: string, attached: string | undefined, next: string | undefined): Read {
  const found = find(typed);
  if (!found.ok) return found;
  const { name, value } = found.option;
  if (value === null) {
    if (attached === undefined)
      return { ok: true, name, text: found.negated ? "no" : "yes", tookNext: false };
    return { ok: false, why: `Option ${name} does not take an argument and is ignored` };
  }
  const text = attached ?? next;
  if (text === undefined) return { ok: false, why: `Option ${name} requires an argument and is ignored` };
  return { ok: true, name, text, tookNext: attached === undefined };
}

type Found =
  | { readonly ok: true; readonly option: Option; readonly negated: boolean }
  | { readonly ok: false; readonly why: string };

interface Spelling {
  readonly text: string;
  readonly option: Option;
  readonly negated: boolean;
}

const spellings: readonly Spelling[] = options.flatMap((each) => {
  const plain = { text: each.name, option: each, negated: false };
  if (each.value !== null || each.path === null) return [plain];
  return [
    plain,
    { text: `no-${each.name}`, option: each, negated: true },
    { text: `no${each.name}`, option: each, negated: true },
  ];
});

function option(name: string, value: string | null, path: KeyPath | null, about: string): Option {
  return { name, value, path, about };
}

function find(typed: string): Found {
  const name = typed.toLowerCase().replaceAll("_", "-");
  const exact = spellings.find((spelling) => spelling.text === name);
  if (exact) return { ok: true, ...exact };
  const candidates = spellings.filter((spelling) => spelling.text.startsWith(name));
  const [first] = candidates;
  if (!first) {
    const meant = nearest(
      name,
      spellings.map((spelling) => spelling.text),
    );
    const hint = meant ? `; did you mean --${meant}?` : "";
    return { ok: false, why: `Unknown option: ${printableName(typed)} is ignored${hint}` };
  }
  if (candidates.every((each) => each.option === first.option && each.negated === first.negated)) {
    return { ok: true, ...first };
  }
  const names = [...new Set(candidates.map((each) => `--${each.text}`))].join(", ");
  return { ok: false, why: `Option ${printableName(typed)} is ambiguous (${names}) and ignored` };
}

function summarise(given: ReadonlyMap<string, string>): Omit<ParsedOptions, "warnings" | "rest"> {
  const overrides = options.flatMap(({ name, path }) => {
    const text = given.get(name);
    return path !== null && text !== undefined ? [{ path, text, option: `--${name}` }] : [];
  });
  return {
    overrides,
    configPath: given.get("config") ?? null,
    checkConfig: given.has("check-config"),
    debug: given.has("debug"),
    help: given.has("help"),
    version: given.has("version"),
  };
}
