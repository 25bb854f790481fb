// What reached people with the original and will not any more, each with the line that restores it.
import { fcmWay } from "../../channels/fcm/way.ts";
import { hasCredentials } from "../../domain/picture.ts";
import { splitCommand } from "../../lib/command-line.ts";
import type { TokenEntry } from "../../store/token-file.ts";
import type { Loss } from "./loss.ts";
import type { Places } from "./places.ts";
import type { Survey } from "./survey.ts";
import { valueLosses } from "./value-losses.ts";

export interface LossQuestion {
  readonly survey: Survey;
  readonly places: Places;
  readonly tokens: ReadonlyMap<string, TokenEntry>;
  /** Why phones of the original are not known any more; null where all are. */
  readonly lostPhones: string | null;
  /** What the original's rules mute that it told. */
  readonly rules: readonly Loss[];
  readonly foreignDetection: readonly string[];
}

/** The gravest first. Secrets are in none of them. */
export function findLosses(question: LossQuestion): readonly Loss[] {
  return [
    ...certificateLosses(question),
    ...valueLosses(question.survey),
    ...pushLosses(question),
    ...phoneLosses(question),
    ...pictureLosses(question),
    ...fileLosses(question),
    ...question.rules,
    ...controlLosses(question),
    ...detectionLosses(question),
    ...otherLosses(question),
  ];
}

function certificateLosses({ survey, places }: LossQuestion): Loss[] {
  const { ssl } = survey.loaded.config;
  if (!ssl.enable) return [];
  const missing = (["cert", "key"] as const).filter(
    (key) => ssl[key] === null || places.find(ssl[key]) === null,
  );
  if (missing.length === 0) return [];
  const files = missing.map((key) =>
    ssl[key] === null ? `ssl.${key} is not set` : `${ssl[key]} is not there`,
  );
  const keys = missing.map((key) => `ssl.${key}`).join(" and ");
  return [
    { what: `No client can connect: ${files.join(", ")}`, restore: `${keys}: the files of a certificate` },
  ];
}

function pushLosses({ survey, tokens, places }: LossQuestion): Loss[] {
  const { fcm } = survey.loaded.config;
  const way = fcmWay(fcm);
  if (!fcm.enable) {
    if (tokens.size === 0) return [];
    return [{ what: `Push is switched off, so ${phones(tokens.size)} not told`, restore: "fcm.enable: yes" }];
  }
  if (way.kind !== "none") return [];
  const from =
    places.pushConstants === null
      ? "from the original's sample configuration (6) or ZmEventNotification/Constants.pm (7); docs/push.md shows where"
      : `grep DEFAULT_FCM_V1 ${places.named(places.pushConstants)} shows both`;
  return [
    {
      what: `Push does not work, so ${tokens.size === 0 ? "phones that register are" : phones(tokens.size)} not told: ${way.why}`,
      restore: `fcm.fcm_v1_url and fcm.fcm_v1_key, the push proxy of the apps: ${from}`,
    },
  ];
}

function phones(count: number): string {
  return count === 1 ? "1 phone is" : `${count} phones are`;
}

function phoneLosses({ survey, tokens, lostPhones }: LossQuestion): Loss[] {
  const { fcm, devices } = survey.loaded.config;
  if (!fcm.enable) return [];
  const ownerless = [...tokens.values()].filter((entry) => !hasOwner(entry)).length;
  const losses: Loss[] = [];
  if (lostPhones !== null)
    losses.push({ what: lostPhones, restore: "open the app on each phone: it registers again" });
  if (ownerless > 0)
    losses.push({
      what: `${phones(ownerless)} nobody's yet and told for ${devices.adopt_days} days; longer once somebody has logged in with its app (opening the app is enough)`,
      restore: "devices.adopt_days: 365",
    });
  const disabled = [...tokens.values()].filter(({ pushstate }) => pushstate === "disabled").length;
  if (disabled > 0)
    losses.push({
      what: `${disabled} of the apps have push switched off, as before`,
      restore: "switch it on in the app",
    });
  return losses;
}

function hasOwner({ zmes }: TokenEntry): boolean {
  return typeof zmes === "object" && zmes !== null && "owner" in zmes;
}

function pictureLosses({ survey }: LossQuestion): Loss[] {
  const { customize, pictures } = survey.loaded.config;
  if (!customize.include_picture || pictures.public_url !== null || pictures.allow_credentials_in_url)
    return [];
  if (customize.picture_url !== null && !hasCredentials(customize)) return [];
  const why =
    customize.picture_url === null
      ? "there is no address to take them from"
      : "their address has a user and password of ZoneMinder in it, which Google and every phone would see";
  return [
    {
      what: `Messages carry no picture: ${why}`,
      restore: "pictures.public_url: https://... (the address under which phones reach this server)",
    },
  ];
}

/** Scripts, rules and keys that are named and not there, or may be anywhere. */
function fileLosses({ survey, places }: LossQuestion): Loss[] {
  const { hook, push, customize, fcm, mqtt } = survey.loaded.config;
  const scripts = [
    // Only where the other one is not set.
    ["hook.hook_script", hook.event_start_hook === null ? hook.hook_script : null],
    ["hook.event_start_hook", hook.event_start_hook],
    ["hook.event_end_hook", hook.event_end_hook],
    ["hook.event_start_hook_notify_userscript", hook.event_start_hook_notify_userscript],
    ["hook.event_end_hook_notify_userscript", hook.event_end_hook_notify_userscript],
    ["push.api_push_script", push.use_api_push ? push.api_push_script : null],
  ] as const;
  const files = [
    ["customize.es_rules", customize.es_rules],
    ["fcm.fcm_service_account_file", fcm.enable ? fcm.fcm_service_account_file : null],
    ["mqtt.tls_ca", mqtt.enable ? mqtt.tls_ca : null],
    ["mqtt.tls_cert", mqtt.enable ? mqtt.tls_cert : null],
    ["mqtt.tls_key", mqtt.enable ? mqtt.tls_key : null],
  ] as const;
  return [
    ...scripts.flatMap(([key, command]) => {
      const words = command === null ? [] : splitCommand(command)?.words;
      if (words === undefined)
        return [
          { what: `${key} cannot be run: a quote in it is not closed`, restore: `${key}: with both quotes` },
        ];
      return missingFile(key, words[0] ?? null, places);
    }),
    ...files.flatMap(([key, file]) => missingFile(key, file, places)),
  ];
}

function missingFile(key: string, file: string | null, places: Places): Loss[] {
  if (file === null || file === "") return [];
  if (!file.startsWith("/"))
    return [
      {
        what: `${file} (${key}) is looked for where the server is started`,
        restore: `${key}: its whole path`,
      },
    ];
  if (places.find(file) !== null) return [];
  return [{ what: `${file} (${key}) is not there`, restore: `put it there, or change ${key}` }];
}

function controlLosses({ survey, places }: LossQuestion): Loss[] {
  const { use_escontrol_interface, escontrol_interface_file } = survey.loaded.config.general;
  if (!use_escontrol_interface || places.find(escontrol_interface_file) === null) return [];
  return [
    {
      what: `What was muted or edited by escontrol is not known: only Perl reads ${escontrol_interface_file}`,
      restore: "mute and edit it again by escontrol",
    },
  ];
}

function detectionLosses({ foreignDetection }: LossQuestion): Loss[] {
  if (foreignDetection.length === 0) return [];
  return [
    {
      what: `The built-in detector leaves out what the original's script found: ${foreignDetection.join("; ")}`,
      restore: "detection.enable: no, and the script goes on being run",
    },
  ];
}

/** What a start would warn of, besides what is said above. */
function otherLosses({ survey }: LossQuestion): Loss[] {
  const { mqtt } = survey.loaded.config;
  const hasTls = mqtt.enable && mqtt.username === null && (mqtt.tls_ca ?? mqtt.tls_cert) !== null;
  const tls = hasTls
    ? [
        {
          what: "The broker is now spoken to with TLS; without a login the original sent everything in the clear",
          restore: "where the broker has no TLS, take mqtt.tls_ca and mqtt.tls_cert out",
        },
      ]
    : [];
  const said = /^(?:fcm\.|customize\.(?:include_picture|picture_url|event_check_interval)$)/;
  const others = survey.dangers
    .filter(({ path }) => !said.test(path))
    .map(({ path, text }) => ({
      what: `${path}: ${text.replace(/\.$/, "")}`,
      restore: RESTORES[path] ?? path,
    }));
  return [...tls, ...others];
}

const RESTORES: Readonly<Record<string, string>> = {
  "auth.enable": "auth.enable: yes",
  "customize.use_hooks": "customize.use_hooks: yes",
  "hook.event_start_notify_on_hook_success": "hook.event_start_notify_on_hook_success: [all]",
  "hook.event_end_notify_on_hook_success": "hook.event_end_notify_on_hook_success: [all]",
};
