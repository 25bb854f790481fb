// Says in words why `zmes listen` has no connection, with the way out.
import { connect as connectTls } from "node:tls";
import type { ListenOptions } from "./options.ts";

export interface Trouble {
  /** lost: worth another try. refused: the same again would end the same, so the command ends. */
  readonly kind: "lost" | "refused";
  readonly message: string;
}

/** Certificate errors of OpenSSL that mean "I do not know who signed this". */
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);
const NO_NAME = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NONAME"]);
/** How a TLS client fails on a port that answers in clear text. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|wrong version number/i;

export async function describeTrouble(error: Error, options: ListenOptions): Promise<Trouble> {
  const code = codeOf(error);
  const where = options.url.host;
  const secure = options.url.protocol === "wss:";
  if (code === "ECONNREFUSED")
    return lost(`Nothing listens on ${where}: is zmes running there, and is it this port?`);
  if (NO_NAME.has(code)) return refused(`There is no host called ${options.url.hostname}.`);
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return lost(`${where} cannot be reached from here.`);
  if (UNTRUSTED.has(code)) return refused(untrusted(where));
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return refused(
      `The certificate of ${where} is made out to another name: use the name in it, or --insecure.`,
    );
  if (code === "CERT_HAS_EXPIRED")
    return refused(`The certificate of ${where} has expired: renew it, or use --insecure.`);
  if (secure && isClearText(error)) return refused(useClearText(where));
  if (!secure && (await speaksTls(options.url))) return refused(useTls(where));
  if (/^Unexpected server response: /.test(error.message))
    return refused(`${where} answers, but not as a WebSocket server (HTTP ${error.message.slice(28)}).`);
  if (/handshake has timed out/.test(error.message) || code === "ETIMEDOUT")
    return lost(`${where} does not answer.`);
  return lost(`No connection to ${where}: ${error.message}.`);
}

/** Whether a TLS client failed because the port answers in clear text. */
export function isClearText(failure: unknown): boolean {
  return failure instanceof Error && NOT_TLS.test(`${codeOf(failure)} ${failure.message}`);
}

function untrusted(where: string): string {
  return (
    `The certificate of ${where} is not trusted: it is self-signed, or its issuer is not known here. ` +
    "Name the certificate with --ca FILE, or use --insecure on a network that you trust."
  );
}

function useClearText(where: string): string {
  return `${where} does not speak TLS (its configuration says ssl.enable: no): use ws://${where}`;
}

function useTls(where: string): string {
  return `${where} speaks TLS: use wss://${where}`;
}

/** A TLS port answers a clear-text request by hanging up, like many other things do: asking it directly is sure. */
function speaksTls(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || 80),
      // Nothing is sent and nothing is believed: only whether the handshake works is of interest.
      rejectUnauthorized: false,
      timeout: 3000,
    });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("secureConnect", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("timeout", () => answer(false));
  });
}

function codeOf(error: Error): string {
  // Several addresses of one name fail together as an AggregateError, which carries the code of the first.
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function lost(message: string): Trouble {
  return { kind: "lost", message };
}

function refused(message: string): Trouble {
  return { kind: "refused", message };
}
