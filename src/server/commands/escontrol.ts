// The `escontrol` message: the administration interface of the original, which this server does not offer.
import type { Connection } from "./command.ts";

/** One reply per command: wsclient.py reads exactly one frame after each. */
export function onEscontrol(connection: Connection): void {
  connection.reply({ event: "escontrol", type: "", status: "Fail", reason: "ESCONTROLDISABLED" });
}
