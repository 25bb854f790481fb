// Finds out whether the broker asks for a login: whoever may connect without one could otherwise command us.
import type { IClientOptions } from "mqtt";
import { within } from "../../lib/within.ts";

/** Longer than a broker takes that is there: we were connected a moment ago. */
const PROBE_MS = 5_000;

/** MQTT 3.1.1, 3.2.2.3: bad user name or password, not authorized; MQTT 5, 3.2.2.2: the same, banned, bad method. */
const REFUSALS = new Set<unknown>([4, 5, 134, 135, 138, 140]);

/**
 * Knocks once without user, password and certificate. "yes": refused; "no": let in; "unknown": something else
 * happened, and nobody should rely on it.
 */
export async function asksForLogin(
  connection: IClientOptions,
  clientId: string,
): Promise<"yes" | "no" | "unknown"> {
  const { connect } = await import("mqtt");
  const { cert: _cert, key: _key, username: _user, password: _password, ...anonymous } = connection;
  const client = connect({
    ...anonymous,
    clientId,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: PROBE_MS,
    log: () => undefined,
  });
  try {
    const answer = new Promise<"yes" | "no" | "unknown">((resolve) => {
      client.once("connect", () => resolve("no"));
      client.once("error", (failure) => resolve(isRefusal(failure) ? "yes" : "unknown"));
      client.once("close", () => resolve("unknown"));
    });
    return (await within(answer, PROBE_MS)) ?? "unknown";
  } finally {
    client.end(true);
  }
}

/** A refusal by the broker, or by its TLS, which wants a certificate of the client (alerts 40, 42 and 116). */
function isRefusal(failure: object): boolean {
  if (!("code" in failure)) return false;
  if (REFUSALS.has(failure.code)) return true;
  return typeof failure.code === "string" && /^ERR_SSL_\w*(CERTIFICATE|HANDSHAKE)/.test(failure.code);
}
