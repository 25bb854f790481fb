// The `control` message: the filter of a connection, what it may choose from, and the version (zmNinjaNg's keepalive).
import { maySee } from "../../domain/recipient.ts";
import type { ControlRequest, Outgoing, Reason } from "../protocol.ts";
import type { CommandContext, Connection } from "./command.ts";

/** A successful filter is not answered: clients that read one frame per message would be off by one. */
export function onControl(connection: Connection, request: ControlRequest, context: CommandContext): void {
  switch (request.type) {
    case "version":
      connection.reply({
        event: "control",
        type: "version",
        status: "Success",
        reason: "",
        version: context.version,
      });
      return;
    case "monitors":
      connection.reply(monitorsReply(connection, context));
      return;
    case "filter":
      setFilter(connection, request, context);
      return;
    case "unknown":
    // Every version of the original ignores other types silently.
  }
}

/** Those that this user is told of: whoever may not see a monitor does not learn that it exists. */
function monitorsReply({ user, recipient }: Connection, { watched }: CommandContext): Outgoing {
  const head = { event: "control", type: "monitors" } as const;
  if (user === null) return { ...head, status: "Fail", reason: "NOAUTH" };
  const known = watched();
  if (known === null) return { ...head, status: "Fail", reason: "NOTKNOWN" };
  const monitors = known
    .filter(({ id }) => maySee(recipient.rights, id))
    .map(({ id, name }) => ({ MonitorId: String(id), Name: name }));
  return { ...head, status: "Success", reason: "", monitors };
}

function setFilter(
  connection: Connection,
  request: ControlRequest & { type: "filter" },
  context: CommandContext,
): void {
  if (!connection.isLoggedIn) {
    // In the original the login that follows resets it, so it never had an effect that lasted.
    context.logger.debug(`A filter from ${connection.address} came before its login and is ignored`);
    return;
  }
  const { monlist, intlist } = request;
  if (monlist === null) fail(connection, "MISSINGMONITORLIST");
  else if (intlist === null) fail(connection, "MISSINGINTERVALLIST");
  else connection.setFilter(monlist, intlist);
}

function fail(connection: Connection, reason: Reason): void {
  connection.reply({ event: "control", type: "filter", status: "Fail", reason });
}
