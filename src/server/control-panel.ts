// The control interface (escontrol) as the server sees it: what it does to the program, and who may use it.
import { createHash, timingSafeEqual } from "node:crypto";
import type { MonitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import { type LimitedLogins, type LoginLimits, limitLogins } from "./login-limiter.ts";

/** What the commands do. Promises resolve when it holds and was written down; they never reject. */
export interface ControlPanel {
  /** The settings as JSON text, without a secret in it. */
  read(): string;
  /** `monitors` null: all that are known. `minutes` null: until it is taken back. */
  order(
    control: "forced" | "muted",
    monitors: readonly MonitorId[] | null,
    minutes: number | null,
  ): Promise<void>;
  edit(key: string, value: string): Promise<EditOutcome>;
  reset(): Promise<void>;
  /** Begins it and returns at once. */
  restart(): void;
}

export type EditOutcome =
  | { readonly done: true }
  | {
      readonly done: false;
      readonly reason: "BADKEY" | "BADVALUE" | "NOTALLOWED";
      /** In words; never repeats a secret. */
      readonly problem: string;
      /** The keys that may have been meant. */
      readonly candidates: readonly string[];
    };

/** The section "general" of the configuration; asked each time, because it may change. */
export interface ControlOptions {
  readonly use_escontrol_interface: boolean;
  readonly escontrol_interface_password: string | null;
}

/** The way in. */
export interface ControlDoor {
  isOn(): boolean;
  readonly logins: LimitedLogins;
  /** Notes that this connection came in with the password as it is now. */
  admit(connection: object): void;
  /** False when it never came in, or the password has been changed since. */
  admits(connection: object): boolean;
  readonly panel: ControlPanel | null;
}

/** Without a panel, or switched off, nobody is let in; without a password neither. */
export function createControlDoor(
  panel: ControlPanel | null,
  options: ControlOptions,
  limits: LoginLimits,
  clock: Clock,
): ControlDoor {
  const provider = {
    login: async ({ password }: { readonly password: string }) =>
      isSame(password, options.escontrol_interface_password ?? "")
        ? ({ outcome: "accepted", user: "", rights: new Set<MonitorId>() } as const)
        : ({ outcome: "refused" } as const),
  };
  const admitted = new WeakMap<object, string | null>();
  return {
    admit: (connection) => void admitted.set(connection, options.escontrol_interface_password),
    admits: (connection) => admitted.get(connection) === options.escontrol_interface_password,
    isOn: () => panel !== null && options.use_escontrol_interface,
    logins: limitLogins(provider, limits, clock),
    panel,
  };
}

/** In a time that says nothing about where two passwords differ, or about their lengths. */
function isSame(given: string, expected: string): boolean {
  const isEqual = timingSafeEqual(digest(given), digest(expected));
  return isEqual && expected !== "";
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
