// The registered phones: who owns each, what each asked for, and the file that remembers them.
import { countPush, type Device, pushesThisMonth } from "../domain/device.ts";
import type { DeviceLink, DeviceRegistration } from "../domain/device-link.ts";
import type { DurableRecipient, RecipientId } from "../domain/notice.ts";
import { type LastKnownRights, parseFilter, type Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { createBadges } from "./badges.ts";
import { deviceFrom, entryOf, type KnownDevice, listText, updateDevice } from "./device-entry.ts";
import { placeFor } from "./device-limit.ts";
import type { Devices } from "./device-registry.ts";
import type { KnownRights } from "./known-rights.ts";
import type { EntryChanges } from "./merge-entries.ts";
import { createOwnerRights, NO_RIGHTS } from "./owner-rights.ts";
import { createTokenSync } from "./token-sync.ts";

export interface DevicesOptions {
  readonly fcm: {
    readonly enable: boolean;
    readonly token_file: string;
    readonly monthly_cap: number | null;
  };
  readonly devices: { readonly adopt_days: number; readonly per_user: number };
  readonly general: { readonly base_data_path: string };
  readonly zoneminder: { readonly rights_reload_interval: number };
  readonly rights: KnownRights;
  /** Whether push can be sent at all: without a key for it no socket's copy is a supplementary one. */
  readonly canPush: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Edits of the file by hand take effect after that long. */
const LOOK_EVERY_MS = 2_000;
const DAY_MS = 86_400_000;

/** Builds the registry. The file is read by `start`; with fcm.enable off it is neither read nor written. */
export function createDevices(options: DevicesOptions): Devices {
  const { clock, logger } = options;
  const adoptMs = options.devices.adopt_days * DAY_MS;
  const known = new Map<string, Known>();
  const byId = new Map<RecipientId, Known>();
  const badges = createBadges();
  const timers: NodeJS.Timeout[] = [];
  let list: readonly Device[] | null = null;
  let reachable: readonly DurableRecipient[] | null = null;
  /** Differs as soon as anybody was told of anything. */
  let toldSum = 0;

  const rights = createOwnerRights({
    rights: options.rights,
    logger,
    owners: () => [...new Set([...known.values()].flatMap(({ device }) => device.owner ?? []))],
    onChange: () => touch(),
  });
  const sync = createTokenSync({
    file: options.fcm.token_file,
    directory: options.general.base_data_path,
    clock,
    logger,
    *entries() {
      for (const [token, { device }] of known) yield [token, entryOf(device)] as const;
    },
    onChanges: applyChanges,
  });

  return {
    name: "devices",
    async start() {
      if (!options.fcm.enable) return;
      await options.rights.restore();
      await sync.load();
      toldSum = sumOfTold();
      reportOrphans();
      void rights.refresh();
      timers.push(
        setInterval(() => void look(), LOOK_EVERY_MS),
        setInterval(() => void rights.refresh(), options.zoneminder.rights_reload_interval * 1000),
      );
    },
    async stop() {
      if (timers.length === 0) return;
      options.rights.keep();
      for (const timer of timers.splice(0)) clearInterval(timer);
      noteTold();
      await sync.close();
    },
    isRead: sync.isRead,
    all() {
      list ??= [...known.values()].map(({ device }) => device);
      return list;
    },
    find: (id) => byId.get(id)?.device ?? null,
    rightsOf(id) {
      const found = byId.get(id);
      return found === undefined ? NO_RIGHTS : rightsOf(found.device);
    },
    recipients() {
      reachable ??= [...known.values()]
        .filter(({ device }) => device.pushState === "enabled")
        .map(recipientOf);
      return reachable;
    },
    register,
    setBadge(token, badge, user) {
      const found = known.get(token);
      if (found?.device.owner === user) setBadge(found, badge);
    },
    takeBadge(id, notice) {
      const found = byId.get(id);
      if (found === undefined) return 0;
      sync.save("soon");
      return badges.take(found.device, notice);
    },
    noteDelivered(id, notice) {
      const found = byId.get(id);
      if (found === undefined) return;
      badges.settle(found.device, notice);
      const now = clock.now();
      found.device.invocations = countPush(found.device.invocations, now);
      found.device.lastSuccess = now;
      sync.save("soon");
    },
    noteFailed(id, reason) {
      const found = byId.get(id);
      if (found === undefined) return;
      found.device.lastError = { at: clock.now(), reason: reason.slice(0, LONGEST_REASON) };
      sync.save("soon");
    },
    forget(id, why) {
      const found = byId.get(id);
      if (found === undefined) return;
      drop(found);
      logger.info(`Forgot ${found.device.label}: ${why}`);
      sync.save("now");
    },
  };

  function register(registration: DeviceRegistration): DeviceLink | "full" {
    const { token, user } = registration;
    const found = known.get(token);
    if (found?.device.owner !== user && !makeRoom(user)) return "full";
    const entry = found ?? add(deviceFrom(token, {}, clock.now(), adoptMs));
    const { device } = entry;
    own(entry, user, registration.rights);
    device.platform = registration.platform;
    device.pushState = registration.state;
    device.profile = registration.profile ?? device.profile;
    device.appVersion = registration.appVersion ?? device.appVersion;
    if (registration.app !== "unknown") device.app = registration.app;
    if (registration.lists !== null) setLists(entry, registration.lists.monlist, registration.lists.intlist);
    const link = linkTo(entry);
    entry.link = link;
    logger.info(
      `Registered ${device.label} of ${JSON.stringify(user)}: ${device.platform}, ${device.pushState}`,
    );
    touch("now");
    return link;
  }

  function makeRoom(user: string): boolean {
    const devices = [...known.values()].map(({ device }) => device);
    const place = placeFor(user, devices, options.devices.per_user);
    const toGo = typeof place === "object" ? known.get(place.token) : undefined;
    if (toGo !== undefined) drop(toGo);
    return place !== "full";
  }

  function linkTo(entry: Known): DeviceLink {
    const { device } = entry;
    const link: DeviceLink = {
      get isCurrent() {
        return entry.link === link;
      },
      get isPushed() {
        return (
          entry.link === link && device.pushState === "enabled" && options.canPush() && !isCapped(device)
        );
      },
      lists: () => ({ monlist: device.monlist, intlist: device.intlist }),
      lastTold: () => device.lastTold,
      setFilter(monlist, intlist) {
        if (!link.isCurrent) return;
        setLists(entry, monlist, intlist);
        touch("now");
      },
      setBadge(badge) {
        if (link.isCurrent) setBadge(entry, badge);
      },
      setOwner(user, rightsNow) {
        if (!link.isCurrent) return;
        own(entry, user, rightsNow);
        touch("now");
      },
    };
    return link;
  }

  function isCapped({ invocations }: Device): boolean {
    const cap = options.fcm.monthly_cap;
    return cap !== null && pushesThisMonth(invocations, clock.now()) >= cap;
  }

  function own({ device }: Known, user: string, rightsNow: Rights): void {
    device.owner = user;
    device.orphanSince = null;
    device.adoptedUntil = null;
    options.rights.note(user, rightsNow);
  }

  function setLists({ device }: Known, monlist: string, intlist: string): void {
    device.monlist = listText(monlist);
    device.intlist = device.monlist === "" ? "" : listText(intlist);
    device.filter = parseFilter(device.monlist, device.intlist);
  }

  function setBadge({ device }: Known, badge: number): void {
    badges.set(device, badge);
    sync.save("soon");
  }

  function recipientOf({ device }: Known): DurableRecipient {
    const { id, label, filter, lastTold, owner, token } = device;
    const preferences = { ...filter, rights: rightsOf(device), lastTold };
    const forRules = { user: owner, token: token.slice(-10) };
    return { id, channel: "fcm", label, preferences, takesUpdates: true, device: forRules };
  }

  function rightsOf({ owner, adoptedUntil }: Device): LastKnownRights {
    if (owner !== null) return rights.of(owner);
    return adoptedUntil !== null && clock.now() < adoptedUntil ? "all" : NO_RIGHTS;
  }

  function applyChanges(changes: EntryChanges): void {
    const now = clock.now();
    for (const [token, entry] of changes) {
      const found = known.get(token);
      if (entry !== null) {
        if (found === undefined) add(deviceFrom(token, entry, now, adoptMs));
        else updateDevice(found.device, entry, now, adoptMs);
      } else if (found !== undefined) {
        drop(found);
        logger.info(`Forgot ${found.device.label}: it was taken out of the token file`);
      }
    }
    if (changes.size > 0) touch();
  }

  function add(device: KnownDevice): Known {
    const entry: Known = { device, link: null };
    known.set(device.token, entry);
    byId.set(device.id, entry);
    return entry;
  }

  function drop(entry: Known): void {
    entry.link = null;
    known.delete(entry.device.token);
    byId.delete(entry.device.id);
    touch();
  }

  function touch(save?: "now" | "soon"): void {
    list = null;
    reachable = null;
    if (save !== undefined) sync.save(save);
  }

  async function look(): Promise<void> {
    noteTold();
    const now = clock.now();
    // A device nobody claimed in time: its rights end with the day.
    for (const { device } of known.values())
      if (device.adoptedUntil !== null && device.adoptedUntil <= now) reachable = null;
    await sync.look();
  }

  /** Whoever tells a device writes the moment into its map; this is how the file hears of it. */
  function noteTold(): void {
    const sum = sumOfTold();
    if (sum !== toldSum) sync.save("soon");
    toldSum = sum;
  }

  function sumOfTold(): number {
    let sum = 0;
    // A moment is cut to its day, so that the sum stays exact however many there are.
    for (const { device } of known.values()) for (const at of device.lastTold.values()) sum += at % DAY_MS;
    return sum;
  }

  function reportOrphans(): void {
    const orphans = [...known.values()].filter(({ device }) => device.owner === null);
    if (orphans.length === 0) return;
    logger.warn(
      `${orphans.length} devices have no owner, because older versions kept none: each keeps its list until its ` +
        `phone logs in, or for ${options.devices.adopt_days} days. \`zmes devices\` marks them`,
    );
  }
}

/** Google's answers are short; whatever stands there is shown in a table. */
const LONGEST_REASON = 300;

interface Known {
  readonly device: KnownDevice;
  /** The connection that holds it now, by its link. */
  link: DeviceLink | null;
}
