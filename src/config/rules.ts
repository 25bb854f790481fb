// Keeps the rules fresh: reads their file again when it changes; a broken one leaves the last good rules in force.
import { stat } from "node:fs/promises";
import { NO_RULES, type RuleSet } from "../domain/rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { loadRules } from "./rules-file.ts";

export interface RulesOptions {
  /** The section "customize"; it may name another file, or none, while the program runs. */
  readonly customize: { readonly es_rules: string | null };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Rules extends Part {
  /** The rules in force now. */
  current(): RuleSet;
  /** Reads the file at once, changed or not. Never throws. */
  reload(): Promise<void>;
}

/** An edit is in force after two seconds at most, and a look costs one stat. */
const LOOK_EVERY_MS = 1_000;
/** A file changed so lately may be half written by whoever edits it. */
const SETTLED_MS = 500;
/** One mistake often brings others, and a log is no place for thousands. */
const MOST_REMARKS = 20;

/** Nothing is read before `start`, which never fails: without rules everybody is told. */
export function createRules({ customize, clock, logger }: RulesOptions): Rules {
  let rules = NO_RULES;
  let isGood = false;
  let seen: string | null = null;
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> | null = null;

  return { name: "rules", start, stop, current: () => rules, reload };

  async function start(): Promise<void> {
    await reload();
    timer = setInterval(() => void look(), LOOK_EVERY_MS);
  }

  async function stop(): Promise<void> {
    if (timer) clearInterval(timer);
    timer = null;
  }

  async function reload(): Promise<void> {
    const { es_rules: path } = customize;
    if (path === null) return forget();
    seen = (await stampOf(path)).stamp;
    read(path);
  }

  function forget(): void {
    if (seen !== null) logger.info("There are no rules any more (customize.es_rules)");
    rules = NO_RULES;
    isGood = false;
    seen = null;
  }

  /** A slow disk must not pile up looks. */
  function look(): Promise<void> {
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  }

  async function lookNow(): Promise<void> {
    const { es_rules: path } = customize;
    if (path === null) return forget();
    const { stamp, changedAt } = await stampOf(path);
    if (stamp === seen || Math.abs(clock.now() - changedAt) < SETTLED_MS) return;
    seen = stamp;
    if (timer !== null) read(path);
  }

  function read(file: string): void {
    const loaded = loadRules(file, (rule) =>
      logger.warn(`${rule}: its cause_has takes too long to search; it does not match then. Make it simpler`),
    );
    const { problems, warnings } = loaded;
    for (const warning of warnings.slice(0, MOST_REMARKS)) logger.warn(warning);
    for (const problem of problems.slice(0, MOST_REMARKS)) logger.error(problem);
    if (problems.length > 0 && isGood) {
      logger.error(`${file} is broken: the rules that were read before stay in force`);
      return;
    }
    rules = loaded.rules;
    isGood = problems.length === 0;
    if (isGood) logger.info(`${loaded.count} ${loaded.count === 1 ? "rule" : "rules"} read from ${file}`);
    else logger.error(`${file} is broken: only what could be read is in force`);
  }
}

/** By what a change of the file is recognised; a file that cannot be looked at has a stamp too. */
async function stampOf(path: string): Promise<{ readonly stamp: string; readonly changedAt: number }> {
  try {
    const { ino, size, mtimeNs, ctimeNs, mtimeMs } = await stat(path, { bigint: true });
    return { stamp: `${path} ${ino} ${size} ${mtimeNs} ${ctimeNs}`, changedAt: Number(mtimeMs) };
  } catch (failure) {
    return { stamp: String(failure), changedAt: 0 };
  }
}
