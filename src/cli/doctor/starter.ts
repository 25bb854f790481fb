// Who starts the server when the machine starts: systemd or ZoneMinder, and not both.
import { existsSync } from "node:fs";
import path from "node:path";
import pino from "pino";
import { kindOf } from "../../zoneminder/daemon-file.ts";
import { ownServerId } from "../../zoneminder/monitors.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import { type DatabaseFacts, hasSystemd, type Subject } from "./subject.ts";

export const starter: Check = {
  name: "starter",
  title: "Started by",
  async run(subject) {
    const facts = await subject.database();
    if (facts.kind !== "up") return [skipped("Whether ZoneMinder starts it, only the database says")];
    const bySystemd = existsSync("/etc/systemd/system/multi-user.target.wants/zmes.service");
    return [
      judge({ byZoneMinder: await zoneMinderStarts(subject), bySystemd, file: daemonFileKind(subject) }),
    ];
  },
};

interface Starters {
  /** OPT_USE_EVENTNOTIFICATION; null where this release has no such option (before 1.32). */
  readonly byZoneMinder: boolean | null;
  readonly bySystemd: boolean;
  /** What ZoneMinder would start. */
  readonly file: ReturnType<typeof kindOf> | "unknown";
}

/** The one sentence for what was found. */
export function judge({ byZoneMinder, bySystemd, file }: Starters): Finding {
  const off = "turn off Options, System, OPT_USE_EVENTNOTIFICATION in ZoneMinder and restart ZoneMinder";
  if (byZoneMinder === true && file === "foreign")
    return problem(
      "OPT_USE_EVENTNOTIFICATION is on, and ZoneMinder starts the original with it",
      "Put zmes into its place: sudo zmes install-daemon",
    );
  if (byZoneMinder === true && file === "absent" && !bySystemd)
    return problem(
      "OPT_USE_EVENTNOTIFICATION is on, but ZoneMinder has no zmeventnotification.pl to start",
      "Give it one: sudo zmes install-daemon",
    );
  if (byZoneMinder === true && bySystemd)
    return warning(
      "Both systemd and ZoneMinder (OPT_USE_EVENTNOTIFICATION) start it; whoever comes second gives up",
      `Keep one of them: sudo systemctl disable --now zmes, or ${off}.`,
    );
  if (byZoneMinder === true) return ok("ZoneMinder starts it (OPT_USE_EVENTNOTIFICATION is on)");
  if (bySystemd) return ok("systemd starts it (zmes.service is enabled)");
  return warning(
    "Nothing starts it when the machine starts",
    hasSystemd()
      ? "Let systemd do it: sudo systemctl enable --now zmes"
      : "Let ZoneMinder do it: sudo zmes install-daemon, then turn on Options, System, OPT_USE_EVENTNOTIFICATION and restart ZoneMinder.",
  );
}

async function zoneMinderStarts(subject: Subject): Promise<boolean | null> {
  const facts = await subject.database();
  if (facts.kind !== "up") return null;
  const rows = await facts.queries.query<{ Value: string }>(
    "SELECT Value FROM Config WHERE Name = 'ZM_OPT_USE_EVENTNOTIFICATION'",
  );
  const value = rows[0]?.Value;
  if (value === undefined) return null;
  return value === "1" && (await isWantedOnThisServer(facts));
}

/** Where ZoneMinder spans several machines, each has a switch of its own (zmpkg.pl, 1.34 and later). */
async function isWantedOnThisServer({ queries, schema }: DatabaseFacts & { kind: "up" }): Promise<boolean> {
  if (!schema.has("Servers", "zmeventnotification")) return true;
  const logger = pino({ level: "silent" });
  const id = await ownServerId({ database: queries, schema, skip: [], logger });
  if (id === null) return true;
  const rows = await queries.query<{ Wanted: number | null }>(
    "SELECT zmeventnotification AS Wanted FROM Servers WHERE Id = ?",
    [id],
  );
  return Number(rows[0]?.Wanted ?? 1) !== 0;
}

function daemonFileKind({ zoneminder }: Subject): Starters["file"] {
  const folder = zoneminder.ok ? zoneminder.conf.values.get("ZM_PATH_BIN") : undefined;
  if (folder === undefined) return "unknown";
  try {
    return kindOf(path.join(folder, "zmeventnotification.pl"));
  } catch {
    return "unknown";
  }
}
