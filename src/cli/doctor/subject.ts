// What the checks of `zmes doctor` look at: the configuration, ZoneMinder's files, its database, and who holds the port.
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import pino from "pino";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../lib/clock.ts";
import { createDatabase, type Queries } from "../../zoneminder/database.ts";
import { databaseTarget, describeTarget } from "../../zoneminder/database-target.ts";
import { readSchema, type Schema } from "../../zoneminder/schema.ts";
import type { ZmConfResult } from "../../zoneminder/zm-conf.ts";
import type { PortHolder } from "./port-holder.ts";

export interface Subject {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly zoneminder: ZmConfResult;
  /** Who the checks run as, and who the server runs as. */
  readonly user: string;
  readonly webUser: string;
  /** Looked up while still root, who alone sees the files of other users' processes; null: nobody, or nobody we may see. */
  readonly holder: PortHolder | null;
  /** A client's address to try instead of our own port. */
  readonly url: URL | null;
  /** To log in with; null: only whether logins are answered is tried. */
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Asks once, however many checks want to know. */
  database(): Promise<DatabaseFacts>;
  readonly clock: Clock;
}

export type DatabaseFacts =
  | { readonly kind: "up"; readonly where: string; readonly queries: Queries; readonly schema: Schema }
  /** `reason` without a full stop and without secrets. */
  | { readonly kind: "refused" | "away" | "no-zoneminder"; readonly where: string; readonly reason: string }
  | { readonly kind: "unknown" };

export interface SubjectOptions extends Omit<Subject, "config" | "user" | "webUser" | "database"> {
  readonly webUser: string | null;
}

/** `close` ends what was connected. Nothing is connected before a check asks. */
export function createSubject(options: SubjectOptions): {
  readonly subject: Subject;
  close(): Promise<void>;
} {
  let asked: Promise<DatabaseFacts> | null = null;
  let stop: () => Promise<void> = async () => undefined;
  const { loaded, zoneminder, clock } = options;
  const user = currentUser();
  const subject: Subject = {
    ...options,
    config: loaded.config,
    user,
    webUser: options.webUser ?? user,
    database() {
      asked ??= ask();
      return asked;
    },
  };
  return { subject, close: () => stop() };

  async function ask(): Promise<DatabaseFacts> {
    if (!zoneminder.ok) return { kind: "unknown" };
    const target = databaseTarget(zoneminder.conf);
    const where = describeTarget(target);
    const queries = createDatabase(target, { logger: pino({ level: "silent" }), clock });
    stop = () => queries.stop();
    try {
      return { kind: "up", where, queries, schema: await readSchema(queries, zoneminder.conf) };
    } catch (failure) {
      const reason = failure instanceof Error ? failure.message.replace(/\.$/, "") : String(failure);
      const kind = /access denied/i.test(reason) ? "refused" : queries.isUp() ? "no-zoneminder" : "away";
      return { kind, where, reason };
    }
  }
}

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

/** Whether systemd is what runs this machine: decides which command a fix names. */
export function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}
