// The kinds of settings there are, and what is kept about each setting besides its zod type.
import { isIP } from "node:net";
import { z } from "zod";

/** How a setting's text is read; see read-value.ts. */
export type Kind = "flag" | "number" | "text" | "file" | "url" | "choice" | "numbers" | "texts";

/** Whether the running program acts on a key. Shown by --check-config for every key the file sets. */
type Status = "used" | "not used yet" | "no longer needed";

/** What is known of a key besides its type, default and description. */
export interface KeyFacts {
  readonly kind: Kind;
  /** What a wrong value is told: "expected ...". */
  readonly expected: string;
  /** First version of the original that had the key; "8" for our own. */
  readonly since: string;
  readonly status: Status;
  /** Why a key is not used; empty for used ones. */
  readonly reason: string;
  /** True for passwords and keys: the value is never shown. */
  readonly secret: boolean;
  /** A value to show where the default is "not set". */
  readonly example: string | null;
  /** True when a change is taken up by the running program; otherwise it waits for the next start. */
  readonly live: boolean;
  /** What the key names that nobody may change from afar; null for keys that escontrol may edit. */
  readonly guarded: Guarded | null;
}

/** Programs, files, hosts, secrets, users and all that decides who is let in: never changed over the network. */
type Guarded = "a program" | "a file" | "a host" | "a secret" | "a user" | "authentication";

/** Facts of every key, found by its schema. */
export const keyFacts = z.registry<KeyFacts>();

/** What a section file says of a key. Status is "used" unless `waitsFor` or `obsolete` gives a reason. */
export interface KeyNotes {
  readonly about: string;
  readonly since: string;
  readonly waitsFor?: string;
  readonly obsolete?: string;
  readonly secret?: boolean;
  readonly example?: string;
  readonly live?: boolean;
  /** Needed only where the kind (a file, a URL) and `secret` do not say it. */
  readonly guarded?: Guarded;
}

/** yes or no */
export function flag(fallback: boolean, notes: KeyNotes) {
  return known(z.boolean().default(fallback).describe(notes.about), "flag", "yes or no", notes);
}

/** A whole number with its limits. */
export function number(fallback: number, limits: Limits, notes: KeyNotes) {
  const schema = z.int().min(limits.min).max(limits.max).default(fallback).describe(notes.about);
  return known(schema, "number", wholeNumber(limits), notes);
}

/** A whole number that may be left unset. */
export function optionalNumber(limits: Limits, notes: KeyNotes) {
  const schema = z.int().min(limits.min).max(limits.max).nullable().default(null).describe(notes.about);
  return known(schema, "number", wholeNumber(limits), notes);
}

/** A whole number, or the word "auto". */
export function autoOrNumber(limits: Limits, notes: KeyNotes) {
  const schema = z
    .union([z.literal("auto"), z.int().min(limits.min).max(limits.max)])
    .default("auto")
    .describe(notes.about);
  return known(schema, "number", `auto or ${wholeNumber(limits)}`, notes);
}

/** Text with a default. */
export function text(fallback: string, notes: KeyNotes, kind: TextKind = "text") {
  return known(z.string().default(fallback).describe(notes.about), kind, "text", notes);
}

/** Text that may be left unset. */
export function optionalText(notes: KeyNotes, kind: TextKind = "text") {
  return known(z.string().nullable().default(null).describe(notes.about), kind, "text", notes);
}

/** One of a few words. */
export function choice<const W extends readonly [string, ...string[]]>(
  words: W,
  fallback: W[number],
  notes: KeyNotes,
) {
  const schema = z.enum(words).default(fallback as never);
  return known(schema.describe(notes.about), "choice", `one of ${words.join(", ")}`, notes);
}

/** A list of monitor numbers. */
export function monitorList(notes: KeyNotes) {
  const schema = z.array(z.int().min(1)).default([]).describe(notes.about);
  return known(schema, "numbers", "monitor numbers such as 1,2,5", notes);
}

/** A list of the words in which hooks name channels. */
export function channelList(notes: KeyNotes) {
  const words = ["all", "none", "fcm", "web", "mqtt", "api"] as const;
  const schema = z.array(z.enum(words)).default([]).describe(notes.about);
  return known(schema, "texts", `a list of ${words.join(", ")}`, notes);
}

/** A list of IP addresses and networks. */
export function networkList(notes: KeyNotes) {
  const schema = z.array(z.string().refine(isNetwork)).default([]).describe(notes.about);
  return known(schema, "texts", "addresses or networks such as 192.168.1.1,10.0.0.0/8", notes);
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

type TextKind = "text" | "file" | "url";

function known<S extends z.ZodType>(schema: S, kind: Kind, expected: string, notes: KeyNotes): S {
  keyFacts.add(schema, {
    kind,
    expected,
    since: notes.since,
    status: notes.obsolete ? "no longer needed" : notes.waitsFor ? "not used yet" : "used",
    reason: notes.obsolete ?? notes.waitsFor ?? "",
    secret: notes.secret ?? false,
    example: notes.example ?? null,
    live: notes.live ?? false,
    guarded: notes.guarded ?? (notes.secret ? "a secret" : GUARDED_KINDS[kind]) ?? null,
  });
  return schema;
}

const GUARDED_KINDS: { readonly [K in Kind]?: Guarded } = { file: "a file", url: "a host" };

function wholeNumber(limits: Limits): string {
  return `a whole number from ${limits.min} to ${limits.max}`;
}

function isNetwork(value: string): boolean {
  const [address = "", prefix, ...more] = value.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
