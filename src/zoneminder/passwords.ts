// The forms in which ZoneMinder has stored passwords over the years, and whether a password matches one.
import { createHash, timingSafeEqual } from "node:crypto";
import { compare } from "bcrypt";

export type StoredPassword =
  | { readonly form: "bcrypt"; readonly hash: string; readonly cost: number }
  /** `-ZM-$2...`: bcrypt of the old MySQL hash, made by zmupdate.pl from 1.33.9 on. */
  | { readonly form: "overlay"; readonly hash: string; readonly cost: number }
  /** `*` and 40 hex digits: MySQL's PASSWORD(), the only form up to 1.32. */
  | { readonly form: "mysql"; readonly hash: string; readonly cost: 0 }
  | { readonly form: "plain"; readonly text: string; readonly cost: 0 }
  | { readonly form: "odd"; readonly problem: string; readonly cost: 0 };

/** The smallest that bcrypt knows. */
const MIN_COST = 4;
/** 2^16 rounds take about 3 s; a row that asks for more would keep a thread of the pool busy for minutes or days. */
const MAX_COST = 16;

/** Reads `Users.Password`. Never throws; what looks like a hash but is not one is odd, never a plain password. */
export function parseStored(stored: string): StoredPassword {
  if (stored.startsWith("-ZM-")) return parseBcrypt(stored.slice(4), "overlay");
  if (stored.startsWith("$2")) return parseBcrypt(stored, "bcrypt");
  if (stored.startsWith("*")) {
    if (/^\*[0-9A-F]{40}$/i.test(stored)) return { form: "mysql", hash: stored.toUpperCase(), cost: 0 };
    return odd("it begins like a MySQL hash but is not one");
  }
  return stored === "" ? odd("it is empty") : { form: "plain", text: stored, cost: 0 };
}

/** True when the password is the stored one. Hashing happens in the thread pool. Never throws. */
export async function matches(stored: StoredPassword, password: string): Promise<boolean> {
  // PHP's and C's bcrypt stop at a NUL character; a password with one could match a shorter one. It is compared all
  // the same, because an answer without a hash would tell that there is such a user.
  const isPossible = password !== "" && !password.includes("\0");
  return (await isSame(stored, password)) && isPossible;
}

/**
 * Spends what a hash of cost `to` takes beyond one of cost `from` (0: nothing was spent yet), so that a failed login
 * costs the same whatever is stored for the user, and when there is no such user. Each step of cost doubles the
 * work, so 2^from + (2^from + ... + 2^(to-1)) = 2^to.
 */
export async function spend(from: number, to: number, password: string): Promise<void> {
  const target = Math.min(to, MAX_COST);
  if (from === 0) {
    if (target >= MIN_COST) await compareBcrypt(standIn(target), password);
    return;
  }
  for (let cost = from; cost < target; cost++) await compareBcrypt(standIn(cost), password);
}

async function isSame(stored: StoredPassword, password: string): Promise<boolean> {
  switch (stored.form) {
    case "bcrypt":
      return compareBcrypt(stored.hash, password);
    case "overlay":
      return compareBcrypt(stored.hash, mysqlHash(password));
    case "mysql":
      return equal(stored.hash, mysqlHash(password));
    case "plain":
      return equal(stored.text, password);
    case "odd":
      return false;
  }
}

/** `*` and the doubled SHA-1 in capitals, as MySQL's PASSWORD() gave it. */
function mysqlHash(password: string): string {
  const once = createHash("sha1").update(password, "utf8").digest();
  return `*${createHash("sha1").update(once).digest("hex").toUpperCase()}`;
}

function parseBcrypt(hash: string, form: "bcrypt" | "overlay"): StoredPassword {
  const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  if (!match) return odd("it begins like a bcrypt hash but is not one");
  const cost = Number(match[1]);
  if (cost < MIN_COST || cost > MAX_COST) return odd(`its bcrypt cost ${cost} is not from 4 to ${MAX_COST}`);
  // PHP writes $2y$, which the bcrypt library answers with false; $2b$ is the same algorithm.
  return { form, hash: hash.replace(/^\$2y/, "$2b"), cost };
}

async function compareBcrypt(hash: string, password: string): Promise<boolean> {
  try {
    return await compare(password, hash);
  } catch {
    // A salt the library does not take: the login is refused like any other.
    return false;
  }
}

function standIn(cost: number): string {
  return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(21)}u${".".repeat(31)}`;
}

// Both sides are hashed first: equal lengths, and the time tells nothing about the text.
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(a), digest(b));
}

function odd(problem: string): StoredPassword {
  return { form: "odd", problem, cost: 0 };
}
