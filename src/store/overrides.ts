// Keeps what the control interface changed: orders for monitors and settings that stand above the configuration file.
import path from "node:path";
import { z } from "zod";
import {
  type ControlState,
  controlOf,
  type MonitorControl,
  NO_ORDERS,
  type Order,
  withOrder,
} from "../domain/control.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import { reasonOf, systemCode } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { readPlainFile } from "../lib/plain-file.ts";
import { replaceFile } from "./json-file.ts";

/** "section.key", or a bare key as the original kept them, and the value as it was typed. */
export type KeptSettings = ReadonlyMap<string, string>;

/** What the control interface changed, as the rest of the program sees it. Nothing in here throws after the start. */
export interface Control extends Part {
  /** What holds for the monitor now; "default" for everyone while the interface is switched off. */
  of(monitor: MonitorId, now: number): MonitorControl;
  orders(): ControlState;
  /** `null` takes the orders of these monitors back. Holds at once; resolves when it is on the disk, or cannot be. */
  order(monitors: readonly MonitorId[], order: Order | null): Promise<void>;
  settings(): KeptSettings;
  /** The same for all settings at once. */
  keepSettings(settings: KeptSettings): Promise<void>;
  /** Forgets orders and settings. */
  reset(): Promise<void>;
}

export interface ControlOptions {
  /** The data directory. */
  readonly directory: string;
  /** Whether orders hold now. */
  readonly isOn: () => boolean;
  /** Orders were given, taken back, or are over. */
  readonly onOrders?: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was kept by an earlier run. */
export interface Kept {
  readonly orders: ControlState;
  readonly settings: KeptSettings;
  /** Why a file that is there is not used, or null. */
  readonly problem: string | null;
}

/** Where it is kept, below the data directory. */
export function controlFile(directory: string): string {
  return path.join(directory, "escontrol.json");
}

/** Reads the file, else the copy of the one before. Never throws: a damaged file must not keep the server down. */
export function readKept(directory: string): Kept {
  const file = controlFile(directory);
  const read = readFile(file);
  if (read === "absent") return NOTHING;
  if (typeof read === "object") return { ...read, problem: null };
  const copy = readFile(`${file}.bak`);
  const kept = typeof copy === "object" ? copy : NOTHING;
  return { ...kept, problem: `${file} cannot be used: ${read}` };
}

/** Builds it; the file is read by `start`, and written whenever something changes. */
export function createControl({ directory, isOn, onOrders, clock, logger }: ControlOptions): Control {
  const file = controlFile(directory);
  let orders: ControlState = NO_ORDERS;
  let settings: KeptSettings = new Map();
  let writing: Promise<void> = Promise.resolve();
  let isWritable = true;
  let timer: NodeJS.Timeout | null = null;

  return {
    name: "control",
    async start() {
      const kept = readKept(directory);
      if (kept.problem !== null) logger.warn(`${kept.problem}; what was changed before it may be lost`);
      orders = kept.orders;
      settings = kept.settings;
      awaitEnd();
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      return writing;
    },
    of: (monitor, now) => (isOn() ? controlOf(orders, monitor, now) : "default"),
    orders: () => orders,
    order(monitors, order) {
      orders = withOrder(orders, monitors, order, clock.now());
      awaitEnd();
      onOrders?.();
      return save();
    },
    settings: () => settings,
    keepSettings(next) {
      settings = new Map(next);
      return save();
    },
    reset() {
      orders = NO_ORDERS;
      settings = new Map();
      onOrders?.();
      return save();
    },
  };

  /** Orders end by themselves wherever they are asked for; whoever shows them wants to be told. */
  function awaitEnd(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const ends = [...orders.values()].flatMap(({ until }) => until ?? []);
    if (ends.length === 0) return;
    const wait = Math.max(1, Math.min(...ends) - clock.now());
    timer = setTimeout(endOrders, Math.min(wait, LOOK_AGAIN_MS)).unref();
  }

  function endOrders(): void {
    const left = withOrder(orders, [], null, clock.now());
    const over = [...orders].filter(([monitor]) => !left.has(monitor));
    for (const [monitor, { control }] of over)
      logger.info(`Monitor ${monitor} is told as usual again: the time for which it was ${control} is over`);
    orders = left;
    awaitEnd();
    if (over.length === 0) return;
    onOrders?.();
    // Else every start would find it over, and say so again.
    void save();
  }

  function save(): Promise<void> {
    const text = asJson(orders, settings);
    writing = writing.then(() => write(text));
    return writing;
  }

  async function write(text: string): Promise<void> {
    try {
      await replaceFile(file, text, { safety: `${file}.safety`, mode: FILE_MODE });
      if (!isWritable) logger.info(`${file} is written again`);
      isWritable = true;
    } catch (failure) {
      if (isWritable)
        logger.warn(`${file} cannot be written, what was changed lasts until the end: ${reasonOf(failure)}`);
      isWritable = false;
    }
  }
}

/** The clock may be set while an order runs, and timers do not notice. */
const LOOK_AGAIN_MS = 60_000;

/** Nobody else's business: it says when nobody looks after the cameras. */
const FILE_MODE = 0o600;

const NOTHING: Kept = { orders: NO_ORDERS, settings: new Map(), problem: null };

/** The original's words: 1 tell always, 0 as usual, -1 never. */
const NUMBERS = { forced: 1, muted: -1 } as const;

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const fileSchema = z
  .object({
    notifications: z.record(z.string(), z.union([z.literal(1), z.literal(0), z.literal(-1)])).default({}),
    until: z.record(z.string(), z.number()).default({}),
    overrides: z.record(z.string(), z.record(z.string(), scalar)).default({}),
  })
  // Beside these, the original's map had each changed setting under its bare key; a converted file may still.
  .loose();

function asJson(orders: ControlState, settings: KeptSettings): string {
  const notifications: Record<string, number> = {};
  const until: Record<string, number> = {};
  for (const [monitor, order] of orders) {
    notifications[monitor] = NUMBERS[order.control];
    if (order.until !== null) until[monitor] = order.until;
  }
  const overrides: Record<string, Record<string, string>> = {};
  const bare: Record<string, string> = {};
  for (const [name, value] of settings) {
    const dot = name.indexOf(".");
    if (dot < 0) bare[name] = value;
    else overrides[name.slice(0, dot)] = { ...overrides[name.slice(0, dot)], [name.slice(dot + 1)]: value };
  }
  return `${JSON.stringify({ ...bare, notifications, until, overrides }, null, 2)}\n`;
}

/** The content, or why there is none. */
function readFile(file: string): Omit<Kept, "problem"> | "absent" | "unreadable" | "not in its form" {
  let text: string;
  try {
    // Root reads it too, before it becomes the user whose file it is.
    text = readPlainFile(file);
  } catch (failure) {
    return systemCode(failure) === "ENOENT" ? "absent" : "unreadable";
  }
  const parsed = fileSchema.safeParse(jsonOf(text));
  if (!parsed.success) return "not in its form";
  const { notifications, until, overrides, ...others } = parsed.data;
  return { orders: ordersOf(notifications, until), settings: settingsOf(overrides, others) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ordersOf(
  notifications: Readonly<Record<string, 1 | 0 | -1>>,
  until: Readonly<Record<string, number>>,
): ControlState {
  const orders = new Map<MonitorId, Order>();
  for (const [name, number] of Object.entries(notifications)) {
    const monitor = monitorId(Number(name));
    if (monitor === null || number === 0) continue;
    orders.set(monitor, { control: number === 1 ? "forced" : "muted", until: until[name] ?? null });
  }
  return orders;
}

function settingsOf(
  overrides: Readonly<Record<string, Readonly<Record<string, string>>>>,
  others: Readonly<Record<string, unknown>>,
): KeptSettings {
  const settings = new Map<string, string>();
  for (const [key, value] of Object.entries(others)) {
    const read = scalar.safeParse(value);
    if (read.success) settings.set(key, read.data);
  }
  for (const [section, keys] of Object.entries(overrides))
    for (const [key, value] of Object.entries(keys)) settings.set(`${section}.${key}`, value);
  return settings;
}
