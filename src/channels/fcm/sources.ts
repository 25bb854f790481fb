// Two sources of phones as one: a phone that both know is told once, by the registry of this server.
import type { DurableRecipient, RecipientId } from "../../domain/notice.ts";
import type { PushDevices } from "./devices.ts";
import type { TableDevices } from "./notifications.ts";

/** A phone whose push is switched off in the registry may still be served by the table: there it was switched on. */
export function joinSources(registry: PushDevices, table: TableDevices): PushDevices {
  let joined: readonly DurableRecipient[] = [];
  let made: readonly [unknown, unknown] = [null, null];

  const sourceOf = (id: RecipientId): PushDevices => {
    const registered = registry.find(id);
    if (registered?.pushState === "enabled") return registry;
    return table.find(id) === null ? registry : table;
  };

  return {
    isRead: () => registry.isRead() && table.isRead(),
    rightsOf: (id) => sourceOf(id).rightsOf(id),
    find: (id) => sourceOf(id).find(id),
    recipients() {
      const [ours, theirs] = [registry.recipients(), table.recipients()];
      // Both give the same array until something changes, and this is asked at every alarm.
      if (made[0] === ours && made[1] === theirs) return joined;
      const told = new Set(ours.map(({ id }) => id));
      joined = [...ours, ...theirs.filter(({ id }) => !told.has(id))];
      made = [ours, theirs];
      return joined;
    },
    takeBadge(id, notice) {
      const badge = sourceOf(id).takeBadge(id, notice);
      table.matchBadge(id, badge);
      return badge;
    },
    noteDelivered(id, notice) {
      const source = sourceOf(id);
      source.noteDelivered(id, notice);
      if (source !== table) table.noteDelivered(id, notice);
    },
    noteFailed: (id, reason) => sourceOf(id).noteFailed(id, reason),
    forget(id, why) {
      registry.forget(id, why);
      table.forget(id, why);
    },
  };
}
