// The list of commands: which file answers which event.
import type { Incoming } from "../protocol.ts";
import { onAuth } from "./auth.ts";
import type { CommandContext, Connection } from "./command.ts";
import { onControl } from "./control.ts";
import { onEscontrol } from "./escontrol.ts";
import { onPush } from "./push.ts";

/** Carries out one message. A promise means that the next message of the connection has to wait for it. */
export function runCommand(
  connection: Connection,
  message: Incoming,
  context: CommandContext,
): Promise<void> | null {
  switch (message.event) {
    case "auth":
      return onAuth(connection, message.auth, context);
    case "control":
      onControl(connection, message.control, context);
      return null;
    case "push":
      onPush(connection, message.push, context);
      return null;
    case "escontrol":
      return onEscontrol(connection, message.escontrol, context);
    case "unknown":
      connection.reply({ event: message.echo, type: "", status: "Fail", reason: "NOTSUPPORTED" });
      return null;
    case "malformed":
      connection.reply({ event: "malformed", type: "", status: "Fail", reason: "BADJSON" });
      return null;
  }
}
