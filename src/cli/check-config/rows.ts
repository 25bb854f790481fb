// The rows of --check-config: the labels of version 7 exactly, for people who compare with what they know.
import type { Dialect } from "../../config/dialect.ts";
import { type KeyPath, knownKeys } from "../../config/schema.ts";
import { type Shown, showValue } from "../../config/shown-value.ts";

/** The groups of rows for a configuration, each row a line. */
export function configGroups(shown: Shown, dialect: Dialect): string[][] {
  const groups = ROWS.map((group) =>
    group.filter(({ dialects }) => !dialects || dialects.includes(dialect)).map((row) => showRow(row, shown)),
  );
  return [...groups, ...ownGroups(shown)].filter((group) => group.length > 0);
}

interface Row {
  readonly label: string;
  readonly show: KeyPath | ((shown: Shown) => string);
  /** Given for rows that only files of a certain age have. */
  readonly dialects?: readonly Dialect[];
}

function showRow({ label, show }: Row, shown: Shown): string {
  return `${label} ${typeof show === "string" ? showValue(shown, show) : show(shown)}`;
}

/** Our own keys, by their names: there is no older label for them. */
function ownGroups(shown: Shown): string[][] {
  const own = [...knownKeys.values()].filter(({ since }) => since === "8");
  return [...new Set(own.map(({ section }) => section))].map((section) =>
    own
      .filter((known) => known.section === section)
      .map(({ path }) => `${path} `.padEnd(LABEL_WIDTH, ".").concat(" ", showValue(shown, path))),
  );
}

const LABEL_WIDTH = 38;

// The seeds of 1.0 and 3.2 show these rows, and 7 has none for them; 6 still has the second.
const BEFORE_3_3: readonly Dialect[] = ["ini-1.0"];
const BEFORE_5: readonly Dialect[] = ["ini-1.0", "ini-3.3"];
const FROM_5: readonly Dialect[] = ["ini-5.0", "yaml-7", "none"];
const EVERY_INI: readonly Dialect[] = ["ini-1.0", "ini-3.3", "ini-5.0"];

const ROWS: readonly (readonly Row[])[] = [
  [
    { label: "Secrets file..........................", show: "general.secrets" },
    { label: "Base data path........................", show: "general.base_data_path" },
    { label: "Restart interval (secs)...............", show: "general.restart_interval" },
  ],
  [
    { label: "Use admin interface ..................", show: "general.use_escontrol_interface" },
    { label: "Admin interface password..............", show: "general.escontrol_interface_password" },
    { label: "Admin interface persistence file .....", show: "general.escontrol_interface_file" },
  ],
  [
    { label: "Port .................................", show: "network.port" },
    { label: "Address ..............................", show: "network.address" },
    { label: "Event check interval .................", show: "customize.event_check_interval" },
    { label: "Monitor reload interval ..............", show: "customize.monitor_reload_interval" },
    { label: "Skipped monitors......................", show: "general.skip_monitors" },
  ],
  [
    { label: "Auth enabled .........................", show: "auth.enable" },
    { label: "Auth timeout .........................", show: "auth.timeout" },
  ],
  [
    { label: "Use API Push..........................", show: "push.use_api_push" },
    { label: "API Push Script.......................", show: "push.api_push_script" },
  ],
  [
    { label: "Use FCM ..............................", show: "fcm.enable" },
    { label: "FCM API key ...................", show: "fcm.api_key", dialects: BEFORE_3_3 },
    { label: "Use FCM V1 APIs.......................", show: "fcm.use_fcmv1" },
    { label: "FCM Date Format.......................", show: "fcm.date_format" },
    { label: "Only show latest FCMv1 message........", show: "fcm.replace_push_messages" },
    { label: "Android FCM push priority.............", show: "fcm.fcm_android_priority" },
    { label: "Android FCM push ttl..................", show: "fcm.fcm_android_ttl" },
    { label: "Log FCM message ID....................", show: "fcm.fcm_log_message_id" },
    { label: "Log RAW FCM Messages..................", show: "fcm.fcm_log_raw_message" },
    { label: "FCM Service Account File..............", show: "fcm.fcm_service_account_file" },
    { label: "FCM Mode..............................", show: fcmMode },
    { label: "FCM V1 URL............................", show: "fcm.fcm_v1_url" },
    { label: "FCM V1 Key............................", show: fcmKey },
  ],
  [{ label: "Token file ...........................", show: "fcm.token_file" }],
  [
    { label: "Use MQTT .............................", show: "mqtt.enable" },
    { label: "MQTT Server ..........................", show: "mqtt.server" },
    { label: "MQTT Topic ...........................", show: "mqtt.topic" },
    { label: "MQTT Username ........................", show: "mqtt.username" },
    { label: "MQTT Password ........................", show: "mqtt.password" },
    { label: "MQTT Retain ..........................", show: "mqtt.retain" },
    { label: "MQTT Tick Interval ...................", show: "mqtt.tick_interval" },
    { label: "MQTT TLS CA ..........................", show: "mqtt.tls_ca" },
    { label: "MQTT TLS Cert ........................", show: "mqtt.tls_cert" },
    { label: "MQTT TLS Key .........................", show: "mqtt.tls_key" },
    { label: "MQTT TLS Insecure ....................", show: "mqtt.tls_insecure" },
  ],
  [
    { label: "SSL enabled ..........................", show: "ssl.enable" },
    { label: "SSL cert file ........................", show: "ssl.cert" },
    { label: "SSL key file .........................", show: "ssl.key" },
  ],
  [
    { label: "Verbose ..............................", show: verbose },
    { label: "ES Debug level........................", show: "customize.es_debug_level" },
    { label: "Read alarm cause .....................", show: "customize.read_alarm_cause" },
    { label: "Tag alarm event id ...................", show: "customize.tag_alarm_event_id" },
    { label: "Use custom notification sound ........", show: "customize.use_custom_notification_sound" },
    { label: "Send event start notification.........", show: "customize.send_event_start_notification" },
    { label: "Send event end notification...........", show: "customize.send_event_end_notification" },
    { label: "Monitor rules file....................", show: "customize.es_rules" },
  ],
  [
    { label: "Hook ..........................", show: "hook.hook_script", dialects: BEFORE_5 },
    { label: "Use Hooks.............................", show: hasHook, dialects: BEFORE_5 },
    { label: "Use Hooks.............................", show: "customize.use_hooks", dialects: FROM_5 },
    { label: "Max Parallel Hooks....................", show: "hook.max_parallel_hooks" },
    { label: "Hook Script on Event Start ...........", show: "hook.event_start_hook" },
    { label: "User Script on Event Start............", show: "hook.event_start_hook_notify_userscript" },
    { label: "Hook Script on Event End..............", show: "hook.event_end_hook" },
    { label: "User Script on Event End..............", show: "hook.event_end_hook_notify_userscript" },
    { label: "Hook Skipped monitors.................", show: "hook.hook_skip_monitors" },
  ],
  [
    { label: "Notify on Event Start (hook success)..", show: "hook.event_start_notify_on_hook_success" },
    { label: "Notify on Event Start (hook fail).....", show: "hook.event_start_notify_on_hook_fail" },
    { label: "Notify on Event End (hook success)....", show: "hook.event_end_notify_on_hook_success" },
    { label: "Notify on Event End (hook fail).......", show: "hook.event_end_notify_on_hook_fail" },
    { label: "Notify End only if Start success......", show: "hook.event_end_notify_if_start_success" },
  ],
  [
    { label: "Use Hook Description..................", show: "hook.use_hook_description" },
    {
      label: "Keep frame match type.................",
      show: "hook.keep_frame_match_type",
      dialects: EVERY_INI,
    },
    { label: "Store Frame in ZM.....................", show: "hook.hook_pass_image_path" },
    { label: "Tag detected objects in ZM............", show: "hook.tag_detected_objects" },
  ],
  [
    { label: "Picture URL ..........................", show: "customize.picture_url" },
    { label: "Include picture.......................", show: "customize.include_picture" },
    { label: "Picture username .....................", show: "customize.picture_portal_username" },
    { label: "Picture password .....................", show: "customize.picture_portal_password" },
  ],
];

function fcmMode({ config }: Shown): string {
  return config.fcm.fcm_service_account_file === null ? "PROXY" : "DIRECT (via Service Account)";
}

/** The original has a key of its own built in and says "default" for it; we have none. */
function fcmKey({ config }: Shown): string {
  return config.fcm.fcm_v1_key === null ? "(undefined)" : "custom";
}

/** There was no switch: what was configured ran. */
function hasHook({ config: { hook } }: Shown): string {
  return (hook.hook_script ?? hook.event_start_hook ?? hook.event_end_hook) === null ? "no" : "yes";
}

/** Two names of one switch. */
function verbose({ config }: Shown): string {
  return config.customize.verbose || config.customize.console_logs ? "yes" : "no";
}
