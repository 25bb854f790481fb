// Asks what setup needs to know, before anything is changed.
import path from "node:path";
import { readServiceAccount } from "../../channels/fcm/account.ts";
import { parseBroker } from "../../channels/mqtt/options.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { FoundCertificate } from "./found.ts";
import { MAX_NAMES, parseNames } from "./names.ts";
import type { Choice, Questions } from "./questions.ts";

export interface Plan {
  /** Under which phones reach this server; the best first. */
  readonly names: readonly string[];
  readonly certificate: CertificatePlan;
  readonly push: PushPlan;
  readonly mqtt: MqttPlan | null;
  /** Whether the built-in detector looks at alarms. */
  readonly detection: boolean;
}

export type CertificatePlan =
  /** An authority of our own signs it. */
  | { readonly kind: "own" }
  /** Files that are there already. */
  | { readonly kind: "found"; readonly cert: string; readonly key: string; readonly isPublic: boolean }
  /** No TLS: a proxy in front does it, or nobody does. */
  | { readonly kind: "none" };

export type PushPlan =
  | { readonly kind: "later" }
  | { readonly kind: "direct"; readonly file: string }
  | { readonly kind: "relay"; readonly url: string; readonly key: string };

interface MqttPlan {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

interface Wishes {
  /** From the command line; null: not said. */
  readonly names: readonly string[] | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly fcmKey: string | null;
  readonly mqtt: string | null;
  readonly mqttLogin: { readonly username: string; readonly password: string | null } | null;
  readonly detection: boolean | null;
}

export interface PlanInput {
  readonly wishes: Wishes;
  readonly ownNames: readonly string[];
  readonly found: readonly FoundCertificate[];
  readonly questions: Questions;
}

/** May throw Abandoned. */
export async function makePlan({ wishes, ownNames, found, questions }: PlanInput): Promise<Plan> {
  const names = wishes.names ?? (await askNames(preferred(ownNames, found), questions));
  const certificate = await planCertificate(wishes, names, found, questions);
  return {
    names,
    certificate,
    push:
      wishes.fcmKey === null
        ? await askPush(questions)
        : { kind: "direct", file: path.resolve(wishes.fcmKey) },
    mqtt: await planMqtt(wishes, questions),
    detection: wishes.detection ?? (await questions.yes(DETECTION, false)),
  };
}

const DETECTION =
  "Look for people in the pictures of each alarm, and stay silent when there are none (built-in detector)?";

/** A name that the world signed for is surely one by which people come. */
function preferred(ownNames: readonly string[], found: readonly FoundCertificate[]): readonly string[] {
  const known = found.flatMap(({ facts }) =>
    facts.isPublic ? facts.names.filter((name) => !name.includes("*")) : [],
  );
  return [...new Set([...known, ...ownNames])].slice(0, MAX_NAMES);
}

async function askNames(preset: readonly string[], questions: Questions): Promise<readonly string[]> {
  const answer = await questions.text(
    "Names and addresses by which phones reach this server, the best first, commas between them",
    preset.join(", ") || "localhost",
    nameFault,
  );
  return parseNames(answer).names;
}

/** Null when all is well. */
export function nameFault(text: string): string | null {
  const { names, bad } = parseNames(text);
  if (bad.length > 0) return `${bad.join(", ")}: not a host name and not an address.`;
  if (names.length === 0) return "At least one name or address is needed.";
  return names.length > MAX_NAMES ? `At most ${MAX_NAMES} names, please.` : null;
}

async function planCertificate(
  { cert, key }: Wishes,
  names: readonly string[],
  found: readonly FoundCertificate[],
  questions: Questions,
): Promise<CertificatePlan> {
  if (cert !== null && key !== null)
    return { kind: "found", cert: path.resolve(cert), key: path.resolve(key), isPublic: false };
  const fitting = found.filter(({ facts }) => names.some((name) => facts.names.includes(name)));
  const taken = fitting.map((one): Choice<CertificatePlan> => {
    const { isPublic } = one.facts;
    const whose = isPublic ? "every phone trusts it" : "phones have to be told to trust it";
    return {
      label: `${one.cert} (for ${one.facts.names.join(", ")}; ${whose})`,
      value: { kind: "found", cert: one.cert, key: one.key, isPublic },
    };
  });
  const own: Choice<CertificatePlan> = {
    label: "Make one, with an authority of your own that each phone is told to trust once",
    value: { kind: "own" },
  };
  const none: Choice<CertificatePlan> = {
    label: "None: a reverse proxy in front does TLS, or passwords may cross the network readable",
    value: { kind: "none" },
  };
  // Nothing is better than one that every phone trusts; one that none trusts is no better than a new one.
  const isPublic = ({ value }: Choice<CertificatePlan>) => value.kind === "found" && value.isPublic;
  const choices = [...taken.filter(isPublic), own, ...taken.filter((one) => !isPublic(one)), none];
  return await questions.choose("Which certificate shall the server show?", choices);
}

async function askPush(questions: Questions): Promise<PushPlan> {
  const kind = await questions.choose("Push to phones that are asleep needs a key. Is there one?", [
    { label: "Not now; docs/push.md shows how to get one", value: "later" },
    { label: "The key file of a Firebase project of your own", value: "direct" },
    { label: "Address and key of the push proxy, as zmeventnotification 6 and 7 have them", value: "relay" },
  ] as const);
  if (kind === "later") return { kind };
  if (kind === "relay") {
    const url = await questions.text("Address of the push proxy", "", (answer) =>
      /^https:$/.test(URL.parse(answer)?.protocol ?? "") ? null : "It begins with https://.",
    );
    return { kind, url, key: await questions.secret("Its key (not shown)") };
  }
  for (;;) {
    const file = path.resolve(await questions.text("Path of the key file (JSON)", ""));
    const fault = await accountFault(file);
    if (fault === null) return { kind, file };
    if (!(await questions.yes(`${fault}. Try another file?`, true))) return { kind: "later" };
  }
}

/** Null when it is the key of a service account. */
async function accountFault(file: string): Promise<string | null> {
  try {
    await readServiceAccount(file);
    return null;
  } catch (failure) {
    return reasonOf(failure);
  }
}

async function planMqtt({ mqtt, mqttLogin }: Wishes, questions: Questions): Promise<MqttPlan | null> {
  const server = mqtt ?? (await askBroker(questions));
  if (server === null) return null;
  const username = mqttLogin?.username ?? (await questions.text("Its user (empty: none)", ""));
  if (username === "") return { server, username, password: "" };
  return { server, username, password: mqttLogin?.password ?? (await questions.secret(BROKER_PASSWORD)) };
}

const BROKER_PASSWORD = "Its password (not shown)";

async function askBroker(questions: Questions): Promise<string | null> {
  if (!(await questions.yes("Publish alarms by MQTT (Home Assistant, Node-RED)?", false))) return null;
  const tls = { tls_ca: null, tls_cert: null, tls_key: null };
  return await questions.text("The broker", "127.0.0.1", (answer) =>
    parseBroker({ server: answer, ...tls }) === null
      ? "host, host:port, or a URL with mqtts://, please."
      : null,
  );
}
