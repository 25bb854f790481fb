// ZoneMinder's database: there, letting us in, of a known version, and telling the same time.
import { formatVersion, isAtLeast } from "../../zoneminder/version.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import type { DatabaseFacts, Subject } from "./subject.ts";

export const database: Check = {
  name: "database",
  title: "Database",
  async run(subject) {
    const facts = await subject.database();
    if (facts.kind !== "up") return [away(facts, subject)];
    const { queries, where, schema } = facts;
    const monitors = await queries.query<{ Count: number }>("SELECT COUNT(*) AS Count FROM Monitors");
    return [
      ok(`Logged in to ${where}; it has ${monitors[0]?.Count ?? 0} monitors`),
      versionFinding(schema.version),
      ...(await users(facts)),
    ];
  },
};

/** The oldest and the newest family of releases whose tables and memory are known (src/zoneminder/shm-layout.ts). */
const OLDEST = [1, 26] as const;
const NEWEST = [1, 39] as const;

function versionFinding(version: Parameters<typeof formatVersion>[0] | null): Finding {
  const report = "Report what does not work, with this version.";
  if (version === null)
    return warning("The database does not say which version of ZoneMinder it is of", report);
  const words = `Its tables are those of ZoneMinder ${formatVersion(version)}`;
  const isNew = !isAtLeast(version, ...OLDEST, 0) || isAtLeast(version, NEWEST[0], NEWEST[1] + 1, 0);
  return isNew
    ? warning(`${words}, a release that zmes was not tried with (1.26 to 1.39 are known)`, report)
    : ok(words);
}

function away(facts: Exclude<DatabaseFacts, { kind: "up" }>, { zoneminder }: Subject): Finding {
  const file = zoneminder.ok ? (zoneminder.conf.files[0] ?? "zm.conf") : "zm.conf";
  switch (facts.kind) {
    case "unknown":
      return skipped("Where the database is, only zm.conf says");
    case "refused":
      return problem(
        `${facts.where} refuses the login: ${facts.reason}`,
        `Compare ZM_DB_USER and ZM_DB_PASS in ${file} and conf.d beside it with the database; ZoneMinder itself cannot work without them.`,
      );
    case "no-zoneminder":
      return problem(
        `${facts.where}: ${facts.reason}`,
        `Set ZM_DB_NAME in ${file} to the database of ZoneMinder.`,
      );
    case "away":
      return problem(
        `${facts.where} cannot be reached: ${facts.reason}`,
        `Start the database (sudo systemctl start mariadb), or correct ZM_DB_HOST in ${file}.`,
      );
  }
}

/** Nobody can log in to zmes without being a user of ZoneMinder. */
async function users(facts: DatabaseFacts & { kind: "up" }): Promise<readonly Finding[]> {
  const rows = await facts.queries.query<{ Count: number }>(
    "SELECT COUNT(*) AS Count FROM Users WHERE Enabled = 1",
  );
  if (Number(rows[0]?.Count ?? 0) > 0) return [];
  return [
    warning(
      "ZoneMinder has no enabled user, so nobody can log in",
      "Add one in ZoneMinder: Options, Users, Add New User.",
    ),
  ];
}
