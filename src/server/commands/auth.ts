// The `auth` message: log in, or log in again on a connection that already is.
import type { AuthRequest, Outgoing, Reason } from "../protocol.ts";
import type { CommandContext, Connection } from "./command.ts";

/**
 * The first frame after an `auth` is its reply: several clients do one blocking read. A Fail is final for
 * zmNinjaNg (it never connects again), so anything transient closes without a reply instead.
 */
export async function onAuth(
  connection: Connection,
  request: AuthRequest,
  context: CommandContext,
): Promise<void> {
  const { logger, sparseWarn, frequentInfo } = context;
  const { address } = connection;
  const isControl = request.category === "escontrol";
  if (isControl && !context.control.isOn()) {
    refuse(connection, "ESCONTROLDISABLED");
    return;
  }
  // There is one password for control, and no user: failed ones count as those of one.
  const user = isControl ? "" : request.user;
  const { password } = request;
  const logins = isControl ? context.control.logins : context.logins;
  const answer = await logins.login({ user, password, address, signal: connection.closed });
  if (connection.closed.aborted) return;
  switch (answer.outcome) {
    case "accepted":
      connection.describe({ app: request.app, appVersion: request.appversion, updates: request.updates });
      if (isControl) {
        context.control.admit(connection);
        connection.takeControl();
      } else {
        connection.signIn(answer.user, answer.rights);
        applyLists(connection, request);
      }
      frequentInfo("login", `Correct authentication provided by ${address}`);
      connection.reply(authReply("", context.version));
      return;
    case "refused":
      logger.warn(`Bad authentication provided by ${address}`);
      refuse(connection, "BADAUTH");
      return;
    case "limited":
      sparseWarn("limited", `Too many failed logins from ${address}: closed without an answer`);
      connection.end(1013, "too many failed logins, try again later");
      return;
    case "unavailable":
      sparseWarn(
        "unavailable",
        `The login from ${address} cannot be checked now: closed, so that it is tried again`,
      );
      connection.end(1013, "logins cannot be checked now, try again later");
      return;
    case "busy":
      sparseWarn(
        "busy",
        `Too many logins at once: the one from ${address} is closed, so that it is tried again`,
      );
      connection.end(1013, "too many logins at once, try again later");
  }
}

/** The reply to a login; an empty reason means success and announces the version. */
function authReply(reason: "" | Reason, version: string): Outgoing {
  if (reason !== "") return { event: "auth", type: "", status: "Fail", reason };
  return { event: "auth", type: "", status: "Success", reason, version };
}

function refuse(connection: Connection, reason: Reason): void {
  connection.reply(authReply(reason, ""));
  connection.end(1000, reason);
}

/**
 * A first login without lists means every monitor, which is what a connection begins with. A repeated one keeps
 * what was set before unless it carries lists; "" and "-1" carry none (zmNinja sends "" until it is configured).
 */
function applyLists(connection: Connection, request: AuthRequest): void {
  const monlist = request.monlist ?? "";
  if (!["", "-1"].includes(monlist.trim())) connection.setFilter(monlist, request.intlist ?? "");
}
