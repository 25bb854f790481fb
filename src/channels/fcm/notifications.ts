// Phones that ZoneMinder itself keeps, in its table Notifications, as a second source of phones for push.
import { countPush, type Device } from "../../domain/device.ts";
import type { MonitorId } from "../../domain/monitor.ts";
import type { DurableRecipient, NoticeId, RecipientId } from "../../domain/notice.ts";
import type { LastKnownRights, Rights } from "../../domain/recipient.ts";
import type { TablePhone } from "../../domain/table-phone.ts";
import type { Clock } from "../../lib/clock.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Part } from "../../lib/lifecycle.ts";
import type { Logger } from "../../lib/log.ts";
import type { PushDevices } from "./devices.ts";
import { createKeptPhones, type KeptTable, type PhoneMemory } from "./kept-phones.ts";
import { type TableDevice, tableDevice } from "./table-phone.ts";

/** What this source needs of ZoneMinder. Everything but the answers may throw while the database is away. */
export interface PhoneTable {
  read(): Promise<readonly TablePhone[] | null>;
  asksForLogin(): Promise<boolean>;
  noteDelivered(token: string, badge: number, at: number): Promise<void>;
  remove(token: string): Promise<void>;
  rightsOf(users: readonly string[]): Promise<ReadonlyMap<string, Rights | null>>;
  /** While the database is away: null where the user was gone or disabled; undefined: never known. */
  lastKnown(user: string): Rights | null | undefined;
}

export interface TableDevices extends PushDevices, Part {
  /** Another source told this phone, with that badge: the table shall show the same. */
  matchBadge(id: RecipientId, badge: number): void;
}

export interface TableDevicesDeps {
  readonly table: PhoneTable;
  readonly memory: PhoneMemory;
  readonly idOf: (token: string) => RecipientId;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Rights and rows alike: what was withdrawn ends within this time. */
const READ_EVERY_MS = 10_000;
/** Until the database has answered for the first time. */
const FIRST_READ_EVERY_MS = 1_000;
const MOST_BADGES = 1_000;
const NO_RIGHTS: Rights = new Set<MonitorId>();

/** Nothing is read before `start`, which does not wait for the database: the phones last known are told until it answers. */
export function createTableDevices({ table, memory, idOf, clock, logger }: TableDevicesDeps): TableDevices {
  const kept = createKeptPhones(memory);
  const known = new Map<RecipientId, Known>();
  const dead = new Set<string>();
  const rights = new Map<string, Rights | null>();
  let reachable: readonly DurableRecipient[] | null = null;
  let openToAll = false;
  let timer: NodeJS.Timeout | null = null;
  let hasAnswered = false;
  let stopped = false;
  let trouble: string | null = null;

  return {
    name: "phones in ZoneMinder's table",
    async start() {
      const before = await kept.restore();
      openToAll = before?.openToAll ?? false;
      for (const row of before?.rows ?? []) take(row, 0);
      void round();
    },
    async stop() {
      stopped = true;
      if (known.size > 0) kept.keepAll(asTable());
      if (timer) clearTimeout(timer);
    },
    isRead: () => hasAnswered,
    find: (id) => known.get(id)?.device ?? null,
    rightsOf(id) {
      const found = known.get(id);
      return found === undefined ? NO_RIGHTS : rightsOfOwner(found.device);
    },
    recipients() {
      reachable ??= [...known.values()].map(({ device }) => recipientOf(device));
      return reachable;
    },
    takeBadge(id, notice) {
      const found = known.get(id);
      if (found === undefined) return 0;
      const taken = found.badges.get(notice);
      if (taken !== undefined) return taken;
      if (found.badges.size >= MOST_BADGES) found.badges.clear();
      found.device.badge += 1;
      found.badges.set(notice, found.device.badge);
      return found.device.badge;
    },
    matchBadge(id, badge) {
      const found = known.get(id);
      if (found !== undefined) found.device.badge = badge;
    },
    noteDelivered(id, notice) {
      const found = known.get(id);
      if (found === undefined) return;
      const { device } = found;
      found.badges.delete(notice);
      device.invocations = countPush(device.invocations, clock.now());
      device.lastSuccess = clock.now();
      keep(write(found, device.badge), "what was sent to a phone");
    },
    noteFailed(id, reason) {
      const found = known.get(id);
      if (found !== undefined) found.device.lastError = { at: clock.now(), reason };
    },
    forget(id, why) {
      const found = known.get(id);
      if (found === undefined) return;
      known.delete(id);
      reachable = null;
      // Remembered until the row is gone: the database may be away just now.
      dead.add(found.device.token);
      kept.keep(asTable());
      logger.info(`Forgot ${found.device.label} of ZoneMinder's table: ${why}`);
      keep(table.remove(found.device.token), "that a phone is gone");
    },
  };

  async function write(found: Known, badge: number): Promise<void> {
    found.settledAt = Number.POSITIVE_INFINITY;
    try {
      await table.noteDelivered(found.device.token, badge, clock.now());
      found.written = badge;
    } finally {
      found.settledAt = clock.monotonic();
    }
  }

  async function round(): Promise<void> {
    try {
      await refresh();
      hasAnswered = true;
      trouble = null;
    } catch (failure) {
      const words = reasonOf(failure);
      if (words !== trouble) logger.debug(`ZoneMinder's table Notifications cannot be read: ${words}`);
      trouble = words;
    }
    if (stopped) return;
    timer = setTimeout(() => void round(), hasAnswered ? READ_EVERY_MS : FIRST_READ_EVERY_MS).unref();
  }

  async function refresh(): Promise<void> {
    const askedAt = clock.monotonic();
    const rows = await table.read();
    if (rows === null) return complainOnce();
    openToAll = !(await table.asksForLogin());
    for (const token of [...dead]) {
      if (rows.some((row) => row.token === token)) await table.remove(token);
      dead.delete(token);
    }
    await readRights(rows);
    const seen = new Set<RecipientId>();
    for (const row of rows) seen.add(take(row, askedAt));
    for (const id of known.keys()) if (!seen.has(id)) known.delete(id);
    reachable = null;
    kept.keep(asTable());
  }

  function asTable(): KeptTable {
    const rows = [...known.values()].map(({ row, device: { badge, lastSuccess } }) => ({
      ...row,
      badge,
      lastNotifiedAt: lastSuccess,
    }));
    return { rows, openToAll };
  }

  async function readRights(rows: readonly TablePhone[]): Promise<void> {
    const owners = [...new Set(rows.flatMap(({ user }) => user ?? []))];
    if (owners.length === 0) return;
    const answer = await table.rightsOf(owners);
    for (const [user, now] of answer) rights.set(user, now);
  }

  function take(row: TablePhone, askedAt: number): RecipientId {
    const id = idOf(row.token);
    const found = known.get(id);
    if (found === undefined) {
      const device = tableDevice(row, id);
      known.set(id, { row, device, badges: new Map(), written: row.badge, settledAt: 0 });
      return id;
    }
    const { device } = found;
    found.row = row;
    // A badge that neither we wrote nor had before was set by the app: it counts from there.
    const isSetByApp = row.badge !== found.written && found.settledAt < askedAt;
    if (isSetByApp) found.badges.clear();
    const { badge, lastSuccess, lastError, invocations, lastTold } = device;
    Object.assign(device, tableDevice(row, id), { lastSuccess, lastError, invocations, lastTold });
    device.badge = isSetByApp ? row.badge : badge;
    if (isSetByApp) found.written = row.badge;
    return id;
  }

  function recipientOf(device: Device): DurableRecipient {
    const { id, label, filter, lastTold, owner, token } = device;
    const preferences = { ...filter, rights: rightsOfOwner(device), lastTold };
    const forRules = { user: owner, token: token.slice(-10) };
    return { id, channel: "fcm", label, preferences, takesUpdates: true, device: forRules };
  }

  function rightsOfOwner({ owner }: Device): LastKnownRights {
    if (owner === null) return openToAll ? "all" : NO_RIGHTS;
    const known = rights.has(owner) ? rights.get(owner) : table.lastKnown(owner);
    return known === undefined ? "unknown" : (known ?? NO_RIGHTS);
  }

  function keep(work: Promise<void>, what: string): void {
    work.catch((failure: unknown) =>
      logger.debug(`ZoneMinder's table was not told ${what}: ${reasonOf(failure)}`),
    );
  }

  function complainOnce(): void {
    known.clear();
    reachable = null;
    kept.keep(asTable());
    if (!hasAnswered) {
      logger.warn(
        "fcm.use_zm_notifications is on, but this ZoneMinder has no table Notifications: it comes with 1.39.2.",
      );
    }
  }
}

interface Known {
  /** As it was last read. */
  row: TablePhone;
  readonly device: TableDevice;
  /** Badges of notices on their way, for another attempt. */
  readonly badges: Map<NoticeId, number>;
  /** BadgeCount as the table has it, so far as we know. */
  written: number;
  /** When our last write was done, on the monotonic clock: a row read before may be older than it. */
  settledAt: number;
}
