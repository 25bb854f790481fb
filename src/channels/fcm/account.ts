// The key file of a Google service account: read, checked, and never quoted.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AppError, reasonOf, systemCode } from "../../lib/errors.ts";

export interface ServiceAccount {
  readonly clientEmail: string;
  readonly projectId: string;
  readonly privateKey: KeyObject;
  readonly tokenUri: string;
}

/** Throws an AppError, FCM_KEY_UNREADABLE or FCM_KEY_INVALID, that says what is wrong and how to get out of it. */
export async function readServiceAccount(path: string): Promise<ServiceAccount> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (failure) {
    throw new AppError("FCM_KEY_UNREADABLE", { path, problem: systemCode(failure) ?? reasonOf(failure) });
  }
  const account = parseServiceAccount(content);
  if (typeof account === "string") throw new AppError("FCM_KEY_INVALID", { path, problem: account });
  return account;
}

/** The account, or what is wrong with the text: without a word of it, because most of it is secret. */
export function parseServiceAccount(content: string): ServiceAccount | string {
  const fields = parsed(content);
  if (fields === null) return "it is not a JSON object";
  if (fields.has("project_info")) {
    return "it is the google-services.json of an app, not the key of a service account";
  }
  if (fields.get("type") !== "service_account") return 'its "type" is not "service_account"';
  const missing = ["client_email", "private_key", "project_id"].find((name) => text(fields, name) === "");
  if (missing !== undefined) return `it has no ${missing}`;
  const privateKey = readKey(text(fields, "private_key"));
  if (privateKey === null) return "its private_key is not an RSA key in PEM form";
  const tokenUri = text(fields, "token_uri") || TOKEN_URI;
  if (!isHttps(tokenUri)) return "its token_uri is not an https address";
  return {
    clientEmail: text(fields, "client_email"),
    projectId: text(fields, "project_id"),
    privateKey,
    tokenUri,
  };
}

/** Where Google exchanges a signed claim for an access token. */
const TOKEN_URI = "https://oauth2.googleapis.com/token";

function parsed(content: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return new Map(Object.entries(value));
  } catch {
    return null;
  }
}

function text(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value.trim() : "";
}

function readKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}

function isHttps(address: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === "https:";
}
