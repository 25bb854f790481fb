// Keeps passwords, tokens and keys out of log lines, whoever forgot to leave them out.

const SECRET_NAMES =
  "password|passwd|pass|token|access_token|refresh_token|authorization|secret|api_?key|private_key|cookie|credentials|auth";

const secretName = new RegExp(`^(?:${SECRET_NAMES})$`, "i");
/** "password": "..." as in a raw message, with or without blanks, escaped quotes included. */
const inJson = new RegExp(`("(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, "gi");
/** password=... in a URL or a form. */
const inQuery = new RegExp(`([?&](?:${SECRET_NAMES})=)[^&\\s"]*`, "gi");
/** scheme://user:password@host */
const inUrl = /(\w:\/\/[^\s/:@]*:)[^\s/@]+@/g;

/** A picture link shows its picture to whoever has it: https://host/p/<id>. */
const inPictureLink = /(\/p\/)[\w-]{40,}/g;

/** True for names of fields whose value must never be written. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** The text without the values of passwords, tokens and keys that stand in it as JSON or as part of a URL. */
export function hideSecrets(text: string): string {
  let hidden = text;
  if (hidden.includes('"')) hidden = hidden.replace(inJson, '$1"[redacted]"');
  if (hidden.includes("=")) hidden = hidden.replace(inQuery, "$1[redacted]");
  if (hidden.includes("://")) hidden = hidden.replace(inUrl, "$1[redacted]@");
  if (hidden.includes("/p/")) hidden = hidden.replace(inPictureLink, "$1[redacted]");
  return hidden;
}
