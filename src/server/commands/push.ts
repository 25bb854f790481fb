// The `push` message: registering phones. This server does not push, and says so.
import type { Connection } from "./command.ts";

/** Every client takes PUSHDISABLED well; APNSDISABLED would make zmNinja forget its token. Nothing is stored. */
export function onPush(connection: Connection): void {
  connection.reply({ event: "push", type: "", status: "Fail", reason: "PUSHDISABLED" });
}
