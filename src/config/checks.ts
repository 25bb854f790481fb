// What can be wrong with a configuration although each of its values is right.
import { fcmWay } from "../channels/fcm/way.ts";
import { isTopic, parseBroker } from "../channels/mqtt/options.ts";
import { hasCredentials } from "../domain/picture.ts";
import { splitCommand } from "../lib/command-line.ts";
import type { Config, KeyPath } from "./schema.ts";

/** A finding, and the key on whose line it is reported. */
export interface Finding {
  readonly path: KeyPath;
  readonly text: string;
}

/** What stops the start. `off` shows how the file at hand switches TLS off. */
export function findProblems(config: Config, off: string): Finding[] {
  return [
    ...tlsProblems(config, off),
    ...mqttProblems(config),
    ...pictureProblems(config),
    ...scriptProblems(config),
  ];
}

function tlsProblems(config: Config, off: string): Finding[] {
  const { enable, cert, key } = config.ssl;
  if (!enable || (cert !== null && key !== null)) return [];
  const missing = cert === null && key === null ? "neither ssl.cert nor ssl.key is" : null;
  const one = cert === null ? "ssl.cert is not" : "ssl.key is not";
  return [
    {
      path: "ssl.enable",
      text: `TLS is on, but ${missing ?? one} set. Name certificate and key in ssl.cert and ssl.key (sudo zmes setup makes both), or serve without TLS by ${off} in section ssl.`,
    },
  ];
}

/** Never repeats the address: a password may be in it. */
function mqttProblems({ mqtt }: Config): Finding[] {
  if (!mqtt.enable) return [];
  const problems: Finding[] = [];
  if (parseBroker(mqtt) === null)
    problems.push({
      path: "mqtt.server",
      text: "expected host, host:port, or a URL that begins with mqtt://, mqtts://, ws:// or wss://",
    });
  for (const key of ["topic", "home_assistant_prefix"] as const) {
    if (isTopic(mqtt[key])) continue;
    problems.push({ path: `mqtt.${key}`, text: "expected the first part of a topic, without + and # in it" });
  }
  return problems;
}

/** Never repeats the address: a password may be in it. */
function pictureProblems({ pictures: { public_url } }: Config): Finding[] {
  if (public_url === null || isPlainAddress(public_url)) return [];
  const text =
    "expected an address that begins with https://, without user, password, ? and #, such as https://cameras.example.org";
  return [{ path: "pictures.public_url", text }];
}

function isPlainAddress(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === "" && url.password === "" && !/[?#@]/.test(address);
}

function scriptProblems({ push }: Config): Finding[] {
  if (!push.use_api_push || push.api_push_script === null || splitCommand(push.api_push_script)) return [];
  const text = "expected the path of a script; a quote in it is not closed";
  return [{ path: "push.api_push_script", text }];
}

/** What keeps messages without a picture, each with its one way out. */
function pictureDangers({ customize, pictures }: Config): Finding[] {
  const { public_url, allow_credentials_in_url } = pictures;
  if (!customize.include_picture) {
    const text = "no message carries a picture unless customize.include_picture is yes.";
    return public_url === null ? [] : [{ path: "pictures.public_url", text }];
  }
  if (public_url !== null) {
    const text = "phones load pictures from https:// addresses only.";
    return public_url.startsWith("https:") ? [] : [{ path: "pictures.public_url", text }];
  }
  if (customize.picture_url === null) {
    const text =
      "there is no picture to include. Set pictures.public_url to the address under which phones reach this server.";
    return [{ path: "customize.include_picture", text }];
  }
  if (!hasCredentials(customize) || allow_credentials_in_url) return [];
  const text =
    "messages carry no picture, because a password would be in its address. Set pictures.public_url to the address under which phones reach this server, or pictures.allow_credentials_in_url to yes if you insist.";
  return [{ path: "customize.picture_url", text }];
}

function scriptDangers({ push }: Config): Finding[] {
  if (!push.use_api_push) return [];
  if (push.api_push_script === null)
    return [{ path: "push.use_api_push", text: "there is no script: set push.api_push_script." }];
  if (splitCommand(push.api_push_script)?.wantsShell !== true) return [];
  const text =
    "no shell runs this, so pipes, redirections, variables and patterns mean nothing. Put them into a script of their own and name that.";
  return [{ path: "push.api_push_script", text }];
}

/** What the operator should know, although the program starts. `isOldDialect`: of versions 1.0 to 4. */
export function findDangers(
  config: Config,
  isSet: (path: KeyPath) => boolean,
  isOldDialect: boolean,
): Finding[] {
  const dangers: Finding[] = [];
  if (!config.auth.enable) {
    dangers.push({
      path: "auth.enable",
      text: "login is switched off: anyone who reaches the port sees every alarm.",
    });
  }
  const way = fcmWay(config.fcm);
  if (config.fcm.enable && way.kind === "none") {
    dangers.push({
      path: `fcm.${way.key}`,
      text: `push to phones is on, but ${way.why}; phones register and everything else works. ${way.wayOut}`,
    });
  }
  if (config.mqtt.enable && (config.mqtt.tls_cert === null) !== (config.mqtt.tls_key === null)) {
    dangers.push({
      path: config.mqtt.tls_cert === null ? "mqtt.tls_key" : "mqtt.tls_cert",
      text: "this is not used: a certificate needs its key. Set mqtt.tls_cert and mqtt.tls_key, or neither.",
    });
  }
  dangers.push(...pictureDangers(config), ...scriptDangers(config), ...hookDangers(config, isOldDialect));
  if (isSet("customize.event_check_interval")) {
    dangers.push({
      path: "customize.event_check_interval",
      text: "this is no longer needed: ZoneMinder is watched all the time. zoneminder.scan_interval_ms sets how often.",
    });
  }
  return dangers;
}

/** As compiled in, the lists name nobody, and a hook then silences everything. */
function hookDangers({ hook, customize, detection }: Config, isOldDialect: boolean): readonly Finding[] {
  const isBuiltIn = { start: detection.enable, end: detection.enable && detection.at_end };
  const start = isBuiltIn.start ? null : (hook.event_start_hook ?? hook.hook_script);
  const scripts = { start, end: isBuiltIn.end ? null : hook.event_end_hook };
  const isOff = !isOldDialect && !customize.use_hooks && (scripts.start ?? scripts.end) !== null;
  const phases = ["start", "end"] as const;
  const findings = phases.flatMap((phase) => {
    if (isBuiltIn[phase]) return replacedScripts(hook, phase);
    const key = `event_${phase}_notify_on_hook_success` as const;
    if (isOldDialect || isOff || scripts[phase] === null || hook[key].length > 0) return [];
    const text = `a hook is run, but this list names no channel: nobody is told of ${phase}s. Set it to all.`;
    return [{ path: `hook.${key}`, text }];
  });
  if (!isOff) return findings;
  const text =
    "hooks are switched off: the scripts in section hook are not run. Set it to yes, or take them out.";
  return [...findings, { path: "customize.use_hooks", text }];
}

/** Who configured a script expects it to be run. */
function replacedScripts(hook: Config["hook"], phase: "start" | "end"): readonly Finding[] {
  const keys =
    phase === "start" ? (["event_start_hook", "hook_script"] as const) : (["event_end_hook"] as const);
  const text = "this script is not run: the built-in detector looks in its place (detection.enable).";
  return keys.flatMap((key) => (hook[key] === null ? [] : [{ path: `hook.${key}`, text }]));
}

/** Whether there is anything by which phones can be reached. */
export function hasPushKey({ fcm }: Config): boolean {
  return fcmWay(fcm).kind !== "none";
}
