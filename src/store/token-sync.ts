// Keeps the token file and the memory in step: reads it, migrates it, merges edits, writes it whole.
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { readText, replaceFile, setAside, stampOf } from "./json-file.ts";
import { changesFrom, type EntryChanges } from "./merge-entries.ts";
import {
  formatToken,
  formatTokenFile,
  parseTokenFile,
  type TokenEntry,
  type TokenFile,
} from "./token-file.ts";

export interface TokenSyncOptions {
  readonly file: string;
  /** The data directory: a copy goes there where the file can only be written in place. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everything in memory, as it would be written. Taken in slices: it may change meanwhile. */
  entries(): Iterable<readonly [string, TokenEntry]>;
  /** What somebody changed in the file, and everything in it at the first reading. */
  onChanges(changes: EntryChanges): void;
}

export interface TokenSync {
  /** Reads the file for the first time; never throws, what is wrong is logged. */
  load(): Promise<void>;
  /** True once the file could be read, or was not there. */
  isRead(): boolean;
  /** Writes if the memory differs from the file. Soon: with the next turn; otherwise within a second. */
  save(when: "now" | "soon"): void;
  /** Looks for edits and writes what waits. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** Counters and badges change with every push: at most that much of them is lost by a crash. */
const SOON_MS = 1_000;
/** A file changed so lately may be half written by whoever edits it. */
const SETTLED_MS = 1_000;
const RETRY_MS = 5_000;
/** A thousand phones take 10 ms in one go, in which no camera is looked at; this many take half a millisecond. */
const TOKENS_PER_TURN = 50;

export function createTokenSync(options: TokenSyncOptions): TokenSync {
  const { file, clock, logger } = options;
  const safety = path.join(options.directory, `${path.basename(file)}.safety`);
  /** What the file held when it was last read or written. */
  let base: ReadonlyMap<string, TokenEntry> = new Map();
  let rest: TokenEntry = {};
  let stamp: string | null = null;
  let timer: { readonly due: number; readonly handle: NodeJS.Timeout } | null = null;
  let working: Promise<void> = Promise.resolve();
  let isDirty = false;
  let isRead = false;
  let trouble: string | null = null;

  return {
    load: () =>
      inTurn(async () => {
        await takeIn(true);
        if (isDirty) await write();
      }),
    isRead: () => isRead,
    save(when) {
      isDirty = true;
      schedule(when === "now" ? 0 : SOON_MS);
    },
    look: () => inTurn(() => step()),
    async close() {
      await inTurn(() => step(false));
      if (timer !== null) clearTimeout(timer.handle);
      timer = null;
    },
  };

  function schedule(ms: number): void {
    const due = clock.monotonic() + ms;
    if (timer !== null && timer.due <= due) return;
    if (timer !== null) clearTimeout(timer.handle);
    const handle = setTimeout(() => {
      timer = null;
      void inTurn(() => step());
    }, ms);
    timer = { due, handle: handle.unref() };
  }

  /** One thing at a time, and no failure leaves: it is logged once, and tried again. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    working = working.then(work).then(
      () => {
        if (trouble === null || isDirty) return;
        logger.info({ path: file }, "The token file can be used again");
        trouble = null;
      },
      (failure: unknown) => {
        const problem = reasonOf(failure);
        if (trouble !== problem)
          logger.error({ path: file, problem }, "The token file cannot be used; devices are kept in memory");
        trouble = problem;
        if (isDirty) schedule(RETRY_MS);
      },
    );
    return working;
  }

  async function step(patient = true): Promise<void> {
    const now = await stampOf(file);
    isRead ||= now === null;
    if (now !== null && now.stamp !== stamp) {
      const age = clock.now() - now.changedAt;
      if (patient && age >= 0 && age < SETTLED_MS) {
        schedule(SETTLED_MS);
        return;
      }
      await takeIn(false);
    }
    if (isDirty) await write();
  }

  async function write(): Promise<void> {
    isDirty = false;
    const entries = new Map<string, TokenEntry>();
    const tokens: string[] = [];
    try {
      for (const [token, entry] of options.entries()) {
        entries.set(token, entry);
        tokens.push(formatToken(token, entry));
        if (tokens.length % TOKENS_PER_TURN === 0) await nextTurn();
      }
      stamp = await replaceFile(file, formatTokenFile(tokens, rest), { safety });
      base = entries;
    } catch (failure) {
      isDirty = true;
      throw failure;
    }
  }

  async function takeIn(isFirst: boolean): Promise<void> {
    const content = await readText(file);
    isRead ||= content === null;
    if (content === null) return;
    const parsed = parseTokenFile(content.text);
    if (parsed.format === "damaged") await replaceDamaged(parsed.problem, isFirst);
    else await takeOver(parsed);
    stamp = content.stamp;
    isRead = true;
  }

  async function takeOver(parsed: TokenFile): Promise<void> {
    if (parsed.format === "colon" || parsed.unreadable > 0) {
      const kept = await setAside(file, parsed.format === "colon" ? "colon" : "unreadable");
      const count = parsed.entries.size;
      logger.info(
        { path: file, kept },
        `The token file was brought to the present format with ${count} tokens; the old one is kept`,
      );
      if (parsed.unreadable > 0)
        logger.warn(
          { kept },
          `${parsed.unreadable} entries of the token file cannot be read and were left out`,
        );
      isDirty = true;
    }
    options.onChanges(changesFrom(base, parsed.entries, new Map(options.entries())));
    base = parsed.entries;
    isDirty ||= !isSame(base, new Map(options.entries()));
    rest = { ...rest, ...parsed.rest };
  }

  /** Never written over without a copy. What is known in memory, or else the newest whole copy, takes its place. */
  async function replaceDamaged(problem: string, isFirst: boolean): Promise<void> {
    const kept = await setAside(file, "damaged").catch(() => setAside(file, "damaged", options.directory));
    logger.error(
      { path: file, kept, problem },
      "The token file is damaged; it was set aside under a new name",
    );
    isDirty = true;
    if (!isFirst) return;
    const copy = await newestCopy([safety, `${file}.bak`]);
    if (copy === null) return;
    logger.warn(
      { copy: copy.file },
      `${copy.parsed.entries.size} tokens were taken from the last whole copy`,
    );
    options.onChanges(changesFrom(new Map(), copy.parsed.entries, new Map(options.entries())));
    rest = copy.parsed.rest;
  }
}

function isSame(one: ReadonlyMap<string, TokenEntry>, other: ReadonlyMap<string, TokenEntry>): boolean {
  return JSON.stringify([...one]) === JSON.stringify([...other]);
}

async function newestCopy(files: readonly string[]) {
  let newest: { readonly file: string; readonly parsed: TokenFile; readonly changedAt: number } | null = null;
  for (const file of files) {
    const content = await readText(file).catch(() => null);
    const parsed = content === null ? null : parseTokenFile(content.text);
    if (content === null || parsed === null || parsed.format === "damaged") continue;
    if (newest === null || content.changedAt > newest.changedAt)
      newest = { file, parsed, changedAt: content.changedAt };
  }
  return newest;
}
