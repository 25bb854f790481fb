// Logs ZoneMinder's users in, and tells what each may see.
import type { Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { createBatch } from "./batch.ts";
import { DatabaseUnavailable, type Queries } from "./database.ts";
import { createPasswordChecker, type PasswordCheckerOptions } from "./password-checker.ts";
import { parseStored } from "./passwords.ts";
import { readRights } from "./rights.ts";
import type { Schema, SchemaSource } from "./schema.ts";

export interface LoginsDeps {
  readonly database: Queries;
  readonly schema: SchemaSource;
  /** The section `limits` of the configuration. */
  readonly options: PasswordCheckerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly address: string;
  readonly signal: AbortSignal;
}

type LoginAnswer =
  /** `user`: the name as ZoneMinder has it, which may differ in case from what was typed. */
  | { readonly outcome: "accepted"; readonly user: string; readonly rights: Rights }
  | { readonly outcome: "refused" }
  /** Nobody can say: the database is away. Not a refusal. */
  | { readonly outcome: "unavailable" }
  /** Too many logins wait, or this one was given up by its signal. Not a refusal either. */
  | { readonly outcome: "busy" };

export interface ZoneMinderLogins {
  /** Never throws: whatever is odd about a row costs that login only. */
  login(attempt: Login): Promise<LoginAnswer>;
  /** null: unknown or disabled. Throws DatabaseUnavailable. */
  rightsOf(users: readonly string[]): Promise<ReadonlyMap<string, Rights | null>>;
}

/** ZoneMinder's names have at most 64 characters, and bcrypt looks at 72 bytes of a password. */
const MAX_NAME = 256;
const MAX_PASSWORD = 1024;
/** How long the cost of refusals is kept before it is read again. */
const COST_MS = 60_000;

export function createZoneMinderLogins({
  database,
  schema,
  options,
  clock,
  logger,
}: LoginsDeps): ZoneMinderLogins {
  const checker = createPasswordChecker(options, clock);
  const refusalCost = createRefusalCost(database, clock);
  const readRow = createBatch(async (names) => findUsers(database, await schema(), names));
  const rightsOf = async (names: readonly string[]) => readRights(database, await schema(), names);
  const readOwnRights = createBatch(rightsOf);

  return { rightsOf, login };

  async function login(attempt: Login): Promise<LoginAnswer> {
    if (attempt.user === "" || attempt.password === "") return { outcome: "refused" };
    try {
      return await attemptLogin(attempt);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) {
        logger.error(
          { err: error },
          `The login of ${JSON.stringify(attempt.user)} failed on an unforeseen error`,
        );
      }
      return { outcome: "unavailable" };
    }
  }

  async function attemptLogin({ user, password, address, signal }: Login): Promise<LoginAnswer> {
    const tooLong = user.length > MAX_NAME || password.length > MAX_PASSWORD;
    const [found, cost] = await Promise.all([readRow(tooLong ? "" : user), refusalCost()]);
    const row = found === "ambiguous" || !found?.Enabled || tooLong ? null : found;
    if (found === "ambiguous")
      logger.warn(`${JSON.stringify(user)} fits several users of ZoneMinder: login refused.`);
    // Unknown and disabled users go the whole way too, so that time does not tell them from known ones.
    const check = await checker.check({
      user,
      password,
      address,
      signal,
      cost,
      stored: row?.Password ?? null,
    });
    if (check.result === "busy" || check.result === "given-up") return { outcome: "busy" };
    if (check.result === "wrong" || row === null) {
      if (check.result === "wrong" && check.problem) {
        logger.warn(
          `The password of ${JSON.stringify(user)} as ZoneMinder stores it cannot be used (${check.problem}): ` +
            "login refused. Set the password again in ZoneMinder.",
        );
      }
      return { outcome: "refused" };
    }
    const rights = await readOwnRights(row.Username);
    return rights ? { outcome: "accepted", user: row.Username, rights } : { outcome: "refused" };
  }
}

interface LoginRow {
  readonly Username: string;
  readonly Password: string | null;
  readonly Enabled: number | null;
}

/** The row each name stands for. Without regard to case where ZM_CASE_INSENSITIVE_USERNAMES is on (1.36.29). */
async function findUsers(
  database: Queries,
  schema: Schema,
  names: readonly string[],
): Promise<Map<string, LoginRow | "ambiguous">> {
  const setting = (schema.setting("ZM_CASE_INSENSITIVE_USERNAMES") ?? "").toLowerCase();
  const anyCase = ["1", "yes", "true", "on"].includes(setting);
  const fold = (name: string) => (anyCase ? name.toLowerCase() : name);
  const wanted = [...new Set(names.map(fold))];
  const column = "CONVERT(Username USING utf8mb4) COLLATE utf8mb4_bin";
  const rows = await database.query<LoginRow>(
    `SELECT Username, Password, Enabled FROM Users WHERE ${anyCase ? `LOWER(${column})` : column} IN (${wanted.map(() => "?").join()})`,
    wanted,
  );
  const found = new Map<string, LoginRow | "ambiguous">();
  for (const name of names) {
    // Compared once more here, because SQL takes "admin " for "admin".
    const fitting = rows.filter((row) => fold(row.Username) === fold(name));
    const row = fitting.find((candidate) => candidate.Username === name) ?? fitting[0];
    if (row) found.set(name, row.Username === name || fitting.length === 1 ? row : "ambiguous");
  }
  return found;
}

/**
 * What a refused login has to cost here: the highest bcrypt cost among the users. An unknown name takes as long as
 * a known one with a wrong password. Where nobody has a bcrypt hash (up to 1.32), refusals are cheap for everybody.
 */
function createRefusalCost(database: Queries, clock: Clock): () => Promise<number> {
  let cost: Promise<number> | null = null;
  let readAt = 0;
  return () => {
    if (cost !== null && clock.monotonic() - readAt < COST_MS) return cost;
    const mine = database
      .query<{ Password: string | null }>(
        "SELECT Password FROM Users WHERE Password LIKE '$2%' OR Password LIKE '-ZM-$2%'",
      )
      .then((rows) => rows.reduce((most, row) => Math.max(most, parseStored(row.Password ?? "").cost), 0));
    mine.catch(() => {
      if (cost === mine) cost = null;
    });
    cost = mine;
    readAt = clock.monotonic();
    return mine;
  };
}
