// The clock, against the database's and Google's: logins of a service account are refused when it is minutes off.
import { fcmWay } from "../../channels/fcm/way.ts";
import { within } from "../../lib/within.ts";
import { type Check, type Finding, ok, skipped, warning } from "./check.ts";
import type { Subject } from "./subject.ts";

export const clock: Check = {
  name: "clock",
  title: "Clock",
  async run(subject) {
    const found = await Promise.all([againstDatabase(subject), againstPush(subject)]);
    const findings = found.filter((finding) => finding !== null);
    return findings.length > 0 ? findings : [skipped("There was no other clock to compare with")];
  },
};

/** Alarms are compared with ZoneMinder's events by time; a few seconds do no harm. */
const MAX_DATABASE_MS = 10_000;
/** Google allows minutes; a clock this far off is not kept by anybody. */
const MAX_PUSH_MS = 60_000;
const ANSWER_MS = 5_000;

async function againstDatabase({ database, clock: own }: Subject): Promise<Finding | null> {
  const facts = await database();
  if (facts.kind !== "up") return null;
  const rows = await facts.queries.query<{ Now: number | string }>("SELECT UNIX_TIMESTAMP(NOW(3)) AS Now");
  return compare(Number(rows[0]?.Now) * 1000 - own.now(), "the database's", MAX_DATABASE_MS);
}

async function againstPush({ config, clock: own }: Subject): Promise<Finding | null> {
  const way = fcmWay(config.fcm);
  if (!config.fcm.enable || way.kind === "none") return null;
  const origin = way.kind === "relay" ? way.url.origin : "https://fcm.googleapis.com";
  const date = await within(dateOf(origin), ANSWER_MS);
  // That nobody answers is said by the check of push.
  return date === null ? null : compare(date - own.now(), `that of ${new URL(origin).host}`, MAX_PUSH_MS);
}

/** RFC 9110, 6.6.1: whole seconds. */
async function dateOf(origin: string): Promise<number | null> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(origin, { method: "HEAD", redirect: "manual", signal });
  const date = Date.parse(answer.headers.get("date") ?? "");
  return Number.isNaN(date) ? null : date;
}

/** `off` in ms: how much later the other clock is. */
export function compare(off: number, whose: string, most: number): Finding {
  const seconds = Math.round(Math.abs(off) / 1000);
  if (Math.abs(off) <= most) return ok(`The clock agrees with ${whose}`);
  return warning(
    `The clock is ${seconds} s ${off > 0 ? "behind" : "ahead of"} ${whose}`,
    "Let it be kept: sudo timedatectl set-ntp true",
  );
}
