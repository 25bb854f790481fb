// The `control` message: the filter of a connection, and the version (which zmNinjaNg uses as keepalive).
import type { ControlRequest, Reason } from "../protocol.ts";
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
    case "filter":
      setFilter(connection, request, context);
      return;
    case "unknown":
    // Every version of the original ignores other types silently.
  }
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
