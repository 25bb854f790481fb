// Errors an operator can do something about: one table of codes, each with its message and the way out.

/** Placeholders in braces are filled from the details given to AppError. docs/errors.md lists every code. */
const errors = {
  CONFIG_INVALID: {
    message: "The configuration cannot be used: {problem}",
    hint: "Correct the file; `zmes --check-config` shows what is read from it.",
  },
  OBJECTCONFIG_INVALID: {
    message: "{place} {problem}",
    hint: "Correct it there; `zmes check-config` shows everything that is wrong with the file.",
  },
  ZM_CONF_UNREADABLE: {
    message: "ZoneMinder's configuration {path} cannot be read: {problem}",
    hint: "Run as ZoneMinder's web user or as root, or name the file with zoneminder.config.",
  },
  ZM_MAP_PATH_MISSING: {
    message: "The folder of ZoneMinder's shared memory, {path}, does not exist",
    hint: "Start ZoneMinder, or set zoneminder.map_path to the value of ZM_PATH_MAP. A container needs that folder mounted.",
  },
  ZM_SHM_UNKNOWN_LAYOUT: {
    message: "Monitor {monitor}: the layout of its shared memory is not known ({sizes})",
    hint: "This version of ZoneMinder is not supported yet; report the sizes shown. The other monitors go on.",
  },
  NETWORK_PORT_IN_USE: {
    message: "Port {port} on {address} is in use by another program",
    hint: "Stop the other program (`ss -ltnp` names it), or set network.port to a free port.",
  },
  NETWORK_PORT_FORBIDDEN: {
    message: "Port {port} on {address} may not be used by this user",
    hint: "Ports below 1024 need special rights: choose a higher network.port.",
  },
  NETWORK_ADDRESS_UNUSABLE: {
    message: "The address {address} is not one of this machine",
    hint: "Set network.address to an address that `ip address` shows, or leave it empty for all of them.",
  },
  TLS_NOT_CONFIGURED: {
    message: "TLS is on, but {missing} is not set",
    hint: "Set ssl.cert and ssl.key (`sudo zmes setup` makes both), or ssl.enable to no where clear text is acceptable.",
  },
  TLS_FILE_UNREADABLE: {
    message: "{key} {path} cannot be read: {problem}",
    hint: "Check the path, and that the user that runs zmes (usually www-data or apache) may read it.",
  },
  TLS_FILE_INVALID: {
    message: "{key} {path} cannot be used: {problem}",
    hint: "Both files must be PEM text; a key must not be protected by a passphrase.",
  },
  TLS_KEY_MISMATCH: {
    message: "The key {key} does not belong to the certificate {cert}",
    hint: "Name the key that was made together with this certificate in ssl.key.",
  },
  ALREADY_RUNNING: {
    message: "Another zmes (process {pid}) already uses {directory}",
    hint: "Either systemd or ZoneMinder starts it: stop the other one (`sudo systemctl disable --now zmes`; or, as ZoneMinder's own user, `sudo -u www-data zmdc.pl stop zmeventnotification.pl`, and OPT_USE_EVENTNOTIFICATION off for good), or give this one another general.base_data_path.",
  },
  ORIGINAL_RUNNING: {
    message: "The original zmeventnotification.pl is running (process {pid})",
    hint: "Stop it as ZoneMinder's own user, `sudo -u www-data zmdc.pl stop zmeventnotification.pl`, or kill it where it was started by hand: two of them would tell every alarm twice.",
  },
  DAEMON_BACKUP_DIFFERS: {
    message: "{file} is not zmes, and another original is kept as {backup} already",
    hint: "Look at both and delete or rename the one that is not needed; neither was touched.",
  },
  DAEMON_UNWRITABLE: {
    message: "{file} cannot be changed: {problem}",
    hint: "Run this as root, or name ZoneMinder's folder of programs with --path.",
  },
  CERTIFICATE_NOT_MADE: {
    message: "No certificate could be made: {problem}",
    hint: "Where openssl is missing, `sudo apt install openssl` brings it; then run `zmes setup` again. Nothing was left half done.",
  },
  SETUP_UNWRITABLE: {
    message: "{path} cannot be written: {problem}",
    hint: "Run it as root (sudo zmes setup), make room on a full disk, or name other places with --config and --data; what was written already is taken up by the next run.",
  },
  PRIVILEGES_FAILED: {
    message: "Cannot become user {user}, group {group}: {problem}",
    hint: "Check ZM_WEB_USER and ZM_WEB_GROUP in ZoneMinder's configuration, or start zmes as that user.",
  },
  PROGRAM_UNREADABLE: {
    message: "The user {user} cannot read the program itself, in {path}: {problem}",
    hint: "Put zmes where that user can read it (/opt or /usr/lib, say), or give it the right to read that folder and those above it.",
  },
  DATA_DIR_UNUSABLE: {
    message: "The data directory {path} cannot be used: {problem}",
    hint: "Create it, owned by the user that runs zmes, or set general.base_data_path.",
  },
  FCM_KEY_UNREADABLE: {
    message: "The service account {path} for push messages cannot be read: {problem}",
    hint: "Check fcm.fcm_service_account_file, and that the user that runs zmes (usually www-data or apache) may read it.",
  },
  FCM_KEY_INVALID: {
    message: "{path} cannot be used as a service account for push messages: {problem}",
    hint: "Make a new key in the Firebase console: Project settings, Service accounts, Generate new private key.",
  },
  PUSH_SCRIPT_UNUSABLE: {
    message: "The script {path} (push.api_push_script) cannot be run: {problem}",
    hint: "Correct push.api_push_script, or let the user that runs zmes (usually www-data or apache) execute it: chmod 755. Alarms wait for it for push.expires_after.",
  },
  HISTORY_UNREADABLE: {
    message: "The history in {path} cannot be used: {problem}",
    hint: "The server makes it at its first start. Run this as root or as the user that runs zmes, with the same --config.",
  },
  STORE_NEWER: {
    message: "{path} was written by a newer zmes (format {found}, this one knows {known})",
    hint: "Install that newer version again, or move the file away; it was not touched.",
  },
} as const satisfies Record<string, { readonly message: string; readonly hint: string }>;

export type ErrorCode = keyof typeof errors;

/** Every code there is; docs/errors.md is checked against it. */
export const errorCodes = Object.keys(errors) as readonly ErrorCode[];

/** An error for the operator: says what is wrong and how to get out of it. Details must not hold secrets. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, details: Readonly<Record<string, string | number>> = {}, cause?: unknown) {
    super(filled(errors[code].message, details), cause === undefined ? undefined : { cause });
    this.name = "AppError";
    this.code = code;
    this.hint = errors[code].hint;
  }
}

/** The words of whatever was thrown: short, for the {problem} of a message. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a system error such as ENOENT, or null. */
export function systemCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !("code" in thrown)) return null;
  return typeof thrown.code === "string" ? thrown.code : null;
}

function filled(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}
