// What setup tells people at its end: what to type into the app, and how a phone learns to trust the server.
import { isIPv6 } from "node:net";
import { renderUnicodeCompact } from "uqr";
import type { Certified } from "./certificate.ts";
import { MODEL_LINES } from "./config-text.ts";

export interface Server {
  /** Under which phones reach it, the best first; at least one. */
  readonly names: readonly string[];
  readonly port: number;
  readonly isTls: boolean;
}

/** The address as an app takes it. There is never a user or a password in it. */
function serverUrl({ names, port, isTls }: Server): string {
  const [name = "localhost"] = names;
  return `${isTls ? "wss" : "ws"}://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

/** What to type into zmNinjaNg, with a code to scan. */
export function phonePage(server: Server): string {
  const url = serverUrl(server);
  const [name, ...others] = server.names;
  const also = others.length > 0 ? `  (also reached as ${others.join(", ")})` : "";
  return `
In zmNinjaNg: Settings, Notifications, Event server
  Host       ${name}${also}
  Port       ${server.port}
  SSL        ${server.isTls ? "on" : "off"}
  User and password are those of ZoneMinder.
In zmNinja: Settings, Event Server, ${url}

${renderUnicodeCompact(url, { border: 2 })}
${url}
`;
}

/** How a phone learns to trust the server; "" where it does already. */
export function trustPage({ authority, fingerprint, notes }: Certified, { names }: Server): string {
  const told = notes.map((note) => `\n${note}\n`).join("");
  if (authority === null) return told;
  return `${told}
Phones have to be told once to trust this server's authority: give them this file,
  ${authority.file}
by cable, by e-mail to yourself, or from another machine: scp ${names[0] ?? "HOST"}:${authority.file} .
  iPhone    open it; Settings, Profile Downloaded, Install; then General, About, Certificate Trust Settings, switch it on
  Android   Settings, Security, Encryption & credentials, Install a certificate, CA certificate
It is no secret, but it must be this one. Its SHA-256 fingerprint, which the phone shows:
  ${inLines(authority.fingerprint)}
zmNinjaNg on Android may ask about the server's own certificate instead; its SHA-256 fingerprint:
  ${inLines(fingerprint ?? "")}
`;
}

/** How the detector gets a model that is better than none; "" where it is off. */
export function detectionPage(isOn: boolean): string {
  if (!isOn) return "";
  const [add, attempt] = MODEL_LINES;
  return `
Alarms are told when there are people in their pictures. OpenCV's people detector needs no model; it misses some of them.
A model of the YOLO family is far better (docs/detection.md). To take one, and to see what is found:
  ${add}
  ${attempt}
`;
}

/** What starts the server. */
export function startPage(hasSystemd: boolean): string {
  const systemd = "sudo systemctl enable --now zmes";
  const zoneMinder =
    "sudo zmes install-daemon, then turn on Options, System, OPT_USE_EVENTNOTIFICATION and restart ZoneMinder";
  return hasSystemd
    ? `\nTo start it now and with the machine: ${systemd}\nOr let ZoneMinder start it: ${zoneMinder}\n`
    : `\nTo start it with ZoneMinder: ${zoneMinder}\nTo try it here: sudo zmes run\n`;
}

/** 32 bytes do not fit into one line of a terminal. */
function inLines(fingerprint: string): string {
  return (fingerprint.match(/.{1,48}/g) ?? []).join("\n  ");
}
