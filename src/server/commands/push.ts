// The `push` message: registering a phone, switching its push off, and the number on its icon.

import { tokenEnd } from "../../domain/device.ts";
import type { Lists } from "../../domain/device-link.ts";
import { isPrivateAddress } from "../private-address.ts";
import type { PushRequest, Reason } from "../protocol.ts";
import type { CommandContext, Connection } from "./command.ts";

/** What was carried out is not answered: clients that read one frame per message would be off by one. */
export function onPush(connection: Connection, request: PushRequest, context: CommandContext): void {
  const { registry, logger, sparseWarn } = context;
  const { address, user } = connection;
  if (registry === null) {
    // Every client takes PUSHDISABLED well; APNSDISABLED would make zmNinja forget its token.
    fail(connection, "", "PUSHDISABLED");
    return;
  }
  if (user === null) {
    // The original takes tokens from anybody, and sends them every alarm.
    logger.debug(`A push message from ${address} came before its login and is ignored`);
    return;
  }
  if (context.privateOnly && !isPrivateAddress(address)) {
    sparseWarn("public", `A phone at ${address} may not register: nobody logs in here (auth.enable is no)`);
    fail(connection, "", "PUSHDISABLED");
    return;
  }
  if (request.type === "badge") setBadge(connection, user, request, context);
  else if (request.type === "token") register(connection, user, request, context);
}

type TokenRequest = PushRequest & { readonly type: "token" };
type BadgeRequest = PushRequest & { readonly type: "badge" };

function register(
  connection: Connection,
  user: string,
  request: TokenRequest,
  context: CommandContext,
): void {
  const { token, platform, state, profile } = request;
  // No reply, as since 6.0.5: zmNinja sends an empty token as long as the phone has none.
  if (token === "" || context.registry === null) return;
  if (platform === null) {
    fail(connection, "token", "MISSINGPLATFORM");
    return;
  }
  const lists = listsOf(connection, request);
  const link = context.registry.register({
    token,
    platform,
    state,
    lists,
    profile,
    appVersion: connection.client.appVersion,
    app: profile === null ? connection.client.app : "zmninja-ng",
    user,
    rights: connection.recipient.rights,
  });
  if (link === "full") {
    context.sparseWarn("full", `${JSON.stringify(user)} has as many phones as devices.per_user allows`);
    fail(connection, "token", "TOOMANYDEVICES");
    return;
  }
  connection.hold(link);
  const { monlist, intlist } = link.lists();
  context.frequentInfo(
    "phone",
    `Storing token ...${tokenEnd(token, 10)},monlist:${monlist},intlist:${intlist},pushstate:${state}`,
  );
}

/**
 * Absent, empty and "-1" lists carry none: then those of the connection hold, and without any the stored ones.
 * Only zmNinjaNg, known by its profile, says with an empty list that every monitor was chosen: it sends its lists
 * whole each time (stores/notifications.ts of 1.1.14), and nothing else would ever lift a filter set before.
 */
function listsOf(connection: Connection, { monlist, intlist, profile }: TokenRequest): Lists | null {
  const wanted = monlist?.trim() ?? "-1";
  if (wanted !== "" && wanted !== "-1") return { monlist: wanted, intlist: intlist ?? "" };
  if (connection.lists !== null) return connection.lists;
  return wanted === "" && profile !== null ? { monlist: "", intlist: "" } : null;
}

function setBadge(
  connection: Connection,
  user: string,
  request: BadgeRequest,
  context: CommandContext,
): void {
  const { badge, token } = request;
  if (badge === null) return;
  connection.device?.setBadge(badge);
  // zmNinja's push may have come while another connection was open: it names the token beside the message.
  if (token !== "") context.registry?.setBadge(token, badge, user);
}

function fail(connection: Connection, type: "" | "token", reason: Reason): void {
  connection.reply({ event: "push", type, status: "Fail", reason });
}
