// The MQTT broker: reached, and letting us in with the login of the configuration.
import { randomUUID } from "node:crypto";
import { asksForLogin } from "../../channels/mqtt/login.ts";
import { connectionOptions, loginOf, parseBroker } from "../../channels/mqtt/options.ts";
import { reasonOf } from "../../lib/errors.ts";
import { type Check, type Finding, ok, problem, skipped } from "./check.ts";

export const mqtt: Check = {
  name: "mqtt",
  title: "MQTT",
  deadlineMs: 15_000,
  async run({ config: { mqtt: section } }) {
    if (!section.enable) return [skipped("MQTT is off (mqtt.enable)")];
    const broker = parseBroker(section);
    if (broker === null)
      return [problem("mqtt.server is not an address", "Write host, host:port, or a URL with mqtts://.")];
    const options = await connectionOptions(section, broker);
    const login = loginOf(section, broker);
    const clientId = () => `zmes-doctor-${randomUUID().slice(0, 8)}`;
    const failure = await whyNot({ ...options, ...(login ?? {}), clientId: clientId() });
    if (failure !== null) return [explain(failure, broker.label)];
    const asks = await asksForLogin(options, clientId());
    const everybody = asks === "no" ? "; it lets everybody in, so muting by MQTT stays off" : "";
    return [
      ok(`The broker ${broker.label} lets us in${login === null ? " without a login" : ""}${everybody}`),
    ];
  },
};

const ANSWER_MS = 5_000;

/** Null when the broker let us in. A session of our own, so that a running server keeps its own. */
async function whyNot(options: Parameters<typeof asksForLogin>[0]): Promise<unknown> {
  const { connect } = await import("mqtt");
  const silent = { clean: true, reconnectPeriod: 0, connectTimeout: ANSWER_MS, log: () => undefined };
  const client = connect({ ...options, ...silent });
  try {
    return await new Promise<unknown>((resolve) => {
      const timer = setTimeout(() => resolve(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
      client.once("connect", () => resolve(null));
      client.once("error", resolve);
      client.once("close", () => resolve(new Error("the connection was closed")));
      client.once("end", () => clearTimeout(timer));
    });
  } finally {
    client.end(true);
  }
}

/** MQTT 3.1.1, 3.2.2.3 and MQTT 5, 3.2.2.2: bad user name or password, not authorized. */
const REFUSALS: readonly unknown[] = [4, 5, 134, 135];

function explain(failure: unknown, label: string): Finding {
  const code = failure instanceof Error && "code" in failure ? failure.code : null;
  if (REFUSALS.includes(code))
    return problem(
      `The broker ${label} refuses the login`,
      "Correct mqtt.username and mqtt.password (or the secrets they name).",
    );
  const text = code === null || reasonOf(failure) !== "" ? reasonOf(failure) : String(code);
  if (/certificate|self.signed|altname|SSL|TLS/i.test(`${text} ${String(code)}`))
    return problem(
      `The certificate of the broker ${label} is not accepted: ${text}`,
      "Name the certificate of its authority in mqtt.tls_ca.",
    );
  return problem(
    `The broker ${label} cannot be reached: ${text}`,
    "Start it (sudo systemctl start mosquitto), or correct mqtt.server.",
  );
}
