// Connects as a client does, and says at which step it fails: name, TCP, TLS, WebSocket, login.
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, rootCertificates, type TLSSocket } from "node:tls";
import WebSocket from "ws";
import { reasonOf, systemCode } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/log-text.ts";
import { isClearText } from "../listen/trouble.ts";
import { type Finding, ok, problem, warning } from "./check.ts";

export interface ConnectionTarget {
  readonly url: URL;
  /** Certificates trusted beside those of the world, PEM. */
  readonly ca: readonly string[];
  /** Whether a certificate made out to another name is wrong: not for our own port, which is tried by its address. */
  readonly checkName: boolean;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** What to do when nothing answers. */
  readonly startIt: string;
}

/** One finding per step, up to the first that fails. Takes 20 s at most. */
export async function tryConnection(target: ConnectionTarget): Promise<readonly Finding[]> {
  const { url } = target;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (url.protocol === "wss:" ? 443 : 80));
  const name = await resolveName(host);
  if (name.level === "problem") return [name];
  const tcp = await tryTcp(host, port, target.startIt);
  if (tcp.level === "problem") return [name, tcp];
  const tls = url.protocol === "wss:" ? await tryTls(host, port, target) : [];
  if (tls.some(({ level }) => level === "problem")) return [name, tcp, ...tls];
  return [name, tcp, ...tls, ...(await tryWebSocket(target))];
}

const STEP_MS = 4_000;
/** A password hash may be slow, and other logins may come first. */
const LOGIN_MS = 8_000;

async function resolveName(host: string): Promise<Finding> {
  if (isIP(host)) return ok(`Name: ${host} is an address`);
  try {
    const late = AbortSignal.timeout(STEP_MS);
    const found = await Promise.race([
      lookup(host, { all: true }),
      new Promise<never>((_, reject) => late.addEventListener("abort", () => reject(new Error("no answer")))),
    ]);
    return ok(`Name: ${host} is ${found.map(({ address }) => address).join(", ")}`);
  } catch (failure) {
    return problem(
      `Name: there is no host called ${host} (${systemCode(failure) ?? reasonOf(failure)})`,
      "Correct the name, or enter it in the DNS of your network (the router) or in /etc/hosts.",
    );
  }
}

async function tryTcp(host: string, port: number, startIt: string): Promise<Finding> {
  try {
    const socket = await opened(connectTcp({ host, port }), "connect");
    socket.destroy();
    return ok(`TCP: port ${port} answers`);
  } catch (failure) {
    const code = systemCode(failure);
    const fix =
      code === "ECONNREFUSED"
        ? startIt
        : `Let port ${port} through the firewall and, from outside, through the router: sudo ufw allow ${port}/tcp`;
    const words = code === "ECONNREFUSED" ? "nothing listens there" : (code ?? reasonOf(failure));
    return problem(`TCP: port ${port} of ${host} cannot be reached: ${words}`, fix);
  }
}

async function tryTls(host: string, port: number, { ca, checkName }: ConnectionTarget): Promise<Finding[]> {
  let socket: TLSSocket;
  try {
    // The name is looked at by itself, below.
    const unnamed = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
    const options = { host, port, ca: [...rootCertificates, ...ca], ...unnamed };
    const named = { ...options, ...(isIP(host) ? {} : { servername: host }) };
    socket = (await opened(connectTls(named), "secureConnect")) as TLSSocket;
  } catch (failure) {
    if (isClearText(failure))
      return [
        problem(
          `TLS: ${host}:${port} does not speak it`,
          "Where the server has ssl.enable: no, use ws:// instead of wss://.",
        ),
      ];
    return [
      problem(
        `TLS: there is no handshake: ${reasonOf(failure)}`,
        "See what listens on that port, and whether something between here and there interferes.",
      ),
    ];
  }
  const version = socket.getProtocol() ?? "TLS";
  const refusal = socket.authorized ? null : String(socket.authorizationError);
  const misnamed = checkName ? checkServerIdentity(host, socket.getPeerCertificate()) : undefined;
  socket.destroy();
  if (misnamed !== undefined)
    return [
      problem(
        `TLS: the certificate is not made out to ${host}`,
        `Let a right one be made: sudo zmes setup --renew-certificate --name ${host}`,
      ),
    ];
  return [refusal === null ? ok(`TLS: ${version}, and the certificate is trusted`) : explainTls(refusal)];
}

/** OpenSSL's words for a chain that does not end at a known authority, and for dates. */
function explainTls(refusal: string): Finding {
  if (refusal === "CERT_HAS_EXPIRED")
    return problem("TLS: the certificate has expired", "Make a new one: sudo zmes setup --renew-certificate");
  if (/^UNABLE_TO|SELF_SIGNED/.test(refusal))
    return warning(
      `TLS: this machine does not know who signed the certificate (${refusal}); a phone knows it only once it was told`,
      "Give the phone the certificate of your authority: docs/setup.md.",
    );
  return problem(
    `TLS: the certificate is refused (${refusal})`,
    "Make a new one: sudo zmes setup --renew-certificate",
  );
}

async function tryWebSocket({ url, login }: ConnectionTarget): Promise<readonly Finding[]> {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    rejectUnauthorized: false, // looked at in the step before
    handshakeTimeout: STEP_MS,
    maxPayload: 65_536,
  });
  // The second of two errors must not become an exception.
  socket.on("error", () => undefined);
  try {
    await once(socket, "open", STEP_MS);
  } catch (failure) {
    socket.terminate();
    return [
      problem(
        `WebSocket: the port answers, but not as this server does: ${reasonOf(failure)}`,
        "See what listens there, and whether a proxy in front passes WebSockets on (Upgrade, Connection).",
      ),
    ];
  }
  try {
    return [
      ok("WebSocket: connected"),
      login === null ? await askVersion(socket) : await logIn(socket, login),
    ];
  } finally {
    socket.terminate();
  }
}

/** Every version answers this to strangers. */
async function askVersion(socket: WebSocket): Promise<Finding> {
  const answer = await ask(socket, { event: "control", data: { type: "version" } }, STEP_MS);
  const { version } = answer ?? {};
  if (typeof version !== "string")
    return problem("Login: the server does not answer", "Restart it: sudo systemctl restart zmes");
  return ok(`Login: version ${escapeControls(version)} answers; \`--user NAME\` tries a login as well`);
}

async function logIn(
  socket: WebSocket,
  { user, password }: { user: string; password: string },
): Promise<Finding> {
  const answer = await ask(socket, { event: "auth", data: { user, password } }, LOGIN_MS);
  if (answer?.status === "Success") return ok(`Login: ${escapeControls(user)} is let in`);
  if (answer?.reason === "BADAUTH")
    return problem(
      `Login: the user name ${escapeControls(user)} or the password is wrong (BADAUTH)`,
      "Try both in ZoneMinder's own web page; users are under Options, Users.",
    );
  return problem(
    `Login: there was no answer${answer?.reason === undefined ? "" : ` but ${escapeControls(String(answer.reason))}`}`,
    "After many failed logins wait a minute; else see whether ZoneMinder's database answers.",
  );
}

/** The first answer, or null. */
async function ask(
  socket: WebSocket,
  message: object,
  ms: number,
): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const coming = once(socket, "message", ms);
    socket.send(JSON.stringify(message));
    const parsed: unknown = JSON.parse(String(await coming));
    return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : null;
  } catch {
    return null;
  }
}

function once(socket: WebSocket, event: "open" | "message", ms: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), ms);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    socket.once(event, (data?: unknown) => settle(() => resolve(data)));
    socket.once("error", (failure) => settle(() => reject(failure)));
    socket.once("close", () => settle(() => reject(new Error("the connection was closed"))));
  });
}

function opened<T extends Socket>(socket: T, event: "connect" | "secureConnect"): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (failure: Error) => {
      socket.destroy();
      reject(failure);
    };
    socket.setTimeout(STEP_MS, () => fail(new Error(`no answer within ${STEP_MS / 1000} s`)));
    socket.once("error", fail);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once(event, () => resolve(socket));
  });
}
