// The configuration that setup writes: only what was answered, with a comment that says where the rest is.
import { stringify } from "yaml";

export interface Answers {
  /** null: the usual one. */
  readonly zmConf: string | null;
  readonly dataDirectory: string | null;
  readonly port: number | null;
  readonly ssl: { readonly cert: string; readonly key: string } | null;
  /** The address in messages; null: no pictures. */
  readonly publicUrl: string | null;
  readonly serviceAccount: string | null;
  readonly relayUrl: string | null;
  readonly mqtt: { readonly server: string; readonly hasLogin: boolean } | null;
  readonly detection: boolean;
  /** The file of secrets; null: there are none. */
  readonly secrets: string | null;
}

/** Names in the file of secrets. */
export const SECRETS = {
  relayKey: "FCM_V1_KEY",
  mqttUser: "MQTT_USERNAME",
  mqttPassword: "MQTT_PASSWORD",
} as const;

/** YAML. Secrets are named, never written. */
export function configText(answers: Answers): string {
  const { zmConf, dataDirectory, port, ssl, publicUrl, serviceAccount, relayUrl, mqtt, secrets } = answers;
  const general = {
    ...(dataDirectory !== null && { base_data_path: dataDirectory }),
    ...(secrets !== null && { secrets }),
  };
  const fcm = {
    // The token file lies in the data directory, wherever that is.
    ...(dataDirectory !== null && { token_file: `${dataDirectory}/push/tokens.txt` }),
    ...(serviceAccount !== null && { fcm_service_account_file: serviceAccount }),
    ...(relayUrl !== null && { fcm_v1_url: relayUrl, fcm_v1_key: `!${SECRETS.relayKey}` }),
  };
  const login = { username: `!${SECRETS.mqttUser}`, password: `!${SECRETS.mqttPassword}` };
  const sections = {
    general,
    zoneminder: zmConf === null ? {} : { config: zmConf },
    network: port === null ? {} : { port },
    ssl: ssl === null ? { enable: false } : { enable: true, ...ssl },
    fcm,
    mqtt: mqtt === null ? {} : { enable: true, server: mqtt.server, ...(mqtt.hasLogin && login) },
    ...(publicUrl !== null && { customize: { include_picture: true }, pictures: { public_url: publicUrl } }),
  };
  const filled = Object.entries(sections).filter(([, section]) => Object.keys(section).length > 0);
  const text = stringify(Object.fromEntries(filled), { lineWidth: 0 });
  return `${HEAD}${text}${answers.detection ? DETECTION : ""}`;
}

const HEAD = `# Configuration of zmes, the notification server for ZoneMinder; written by \`zmes setup\`.
# Change it as you like: \`zmes example-config\` shows every setting, \`zmes check-config\` what is understood, and most
# changes are taken up while the server runs.
`;

/** The two lines that lead to a model. */
export const MODEL_LINES = ["sudo zmes models add yolo11n.onnx", "sudo zmes detect picture.jpg"] as const;

const DETECTION = `# The built-in detector: alarms without people are not told. Without a model it is OpenCV's people detector, which misses
# some of them. A model of the YOLO family is far better, and knows cars and animals too (pattern):
#   ${MODEL_LINES.join("\n#   ")}
detection:
  enable: yes
`;

/** YAML for the file of secrets; null when there is none to keep. */
export function secretsText(values: Readonly<Record<string, string>>): string | null {
  const filled = Object.entries(values).filter(([, value]) => value !== "");
  if (filled.length === 0) return null;
  return `# Secrets of zmes; zmes.yml names them as !NAME.\n${stringify({ secrets: Object.fromEntries(filled) }, { lineWidth: 0 })}`;
}
