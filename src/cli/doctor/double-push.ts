// Phones that two programs know: ZoneMinder's own table of phones beside ours.
import { readText } from "../../store/json-file.ts";
import { parseTokenFile } from "../../store/token-file.ts";
import { createNotifications } from "../../zoneminder/notifications.ts";
import { type Check, ok, skipped, warning } from "./check.ts";
import { mayAccess } from "./system.ts";

export const doublePush: Check = {
  name: "double-push",
  title: "Double push",
  async run({ config, database }) {
    if (!config.fcm.enable) return [skipped("Push to phones is off (fcm.enable)")];
    const facts = await database();
    if (facts.kind !== "up") return [skipped("ZoneMinder's own phones are in the database")];
    const table = createNotifications({ database: facts.queries, schema: async () => facts.schema });
    const rows = (await table.read()) ?? [];
    if (rows.length === 0) return [ok("ZoneMinder itself knows no phones")];
    const { token_file, use_zm_notifications } = config.fcm;
    const text = mayAccess(token_file, "read") ? ((await readText(token_file))?.text ?? "") : "";
    const parsed = parseTokenFile(text);
    const known = parsed.format === "damaged" ? [] : rows.filter(({ token }) => parsed.entries.has(token));
    if (use_zm_notifications)
      return [
        warning(
          `${rows.length} phones of ZoneMinder's table Notifications are told by zmes; ZoneMinder's own detector may push to them as well`,
          "Where people hear of everything twice, switch off push in that detector, or set fcm.use_zm_notifications to no.",
        ),
      ];
    if (known.length === 0)
      return [
        ok(
          `ZoneMinder itself knows ${rows.length} phones; zmes leaves them alone (fcm.use_zm_notifications)`,
        ),
      ];
    return [
      warning(
        `${known.length} phones are known to ZoneMinder and to zmes: both may push to them`,
        "Let only one know them: in the app, choose the event server or direct mode, not both.",
      ),
    ];
  },
};
