// What the owners of devices may see now: asked for again and again, and as last known while nobody answers.
import type { MonitorId } from "../domain/monitor.ts";
import type { LastKnownRights, Rights } from "../domain/recipient.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { KnownRights } from "./known-rights.ts";

export interface OwnerRightsOptions {
  readonly rights: KnownRights;
  readonly logger: Logger;
  owners(): readonly string[];
  onChange(): void;
}

export interface OwnerRights {
  /** Nothing for users who are disabled or gone; "unknown" for those of whom nothing was ever known. */
  of(user: string): LastKnownRights;
  /** Reads the rights of all owners again. Never throws: what is not known now stays as it was. */
  refresh(): Promise<void>;
}

export const NO_RIGHTS: Rights = new Set<MonitorId>();

export function createOwnerRights({ rights, logger, owners, onChange }: OwnerRightsOptions): OwnerRights {
  let refreshing = false;
  let isAway = false;

  return {
    of(user) {
      const known = rights.lastKnown(user);
      return known === undefined ? "unknown" : (known ?? NO_RIGHTS);
    },
    async refresh() {
      const all = owners();
      if (refreshing || all.length === 0) return;
      refreshing = true;
      try {
        await rights.rightsOf(all);
        if (isAway) logger.info("The rights of device owners can be read again");
        isAway = false;
      } catch (failure) {
        if (!isAway)
          logger.warn(
            `The rights of device owners cannot be read, the last known ones stay: ${reasonOf(failure)}`,
          );
        isAway = true;
      } finally {
        refreshing = false;
        // Also when nobody answers: what the disk knew may have come back only now.
        onChange();
      }
    },
  };
}
