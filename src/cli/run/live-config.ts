// Keeps the configuration of the running server up to date: from its file, and with what escontrol changes.
import { findEditable } from "../../config/kept-settings.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { readOverrides } from "../../config/read-entries.ts";
import { createRunningConfig } from "../../config/running.ts";
import { type Config, type KeyPath, knownKeys, valueAt } from "../../config/schema.ts";
import { showValue } from "../../config/shown-value.ts";
import type { Logger } from "../../lib/log.ts";
import type { EditOutcome } from "../../server/control-panel.ts";
import type { KeptSettings } from "../../store/overrides.ts";

export interface LiveConfigOptions {
  /** With what the server is started. */
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, with these settings above the file. */
  readonly load: (settings: KeptSettings) => LoadedConfig;
  /** What escontrol changed, and where it is kept. */
  readonly kept: { settings(): KeptSettings; keepSettings(settings: KeptSettings): Promise<void> };
  readonly onChange: (changed: ReadonlySet<KeyPath>) => void;
  readonly logger: Logger;
}

export interface LiveConfig {
  /** What runs: its sections are given to the parts, and change in place. */
  readonly config: Config;
  /** The last one that could be used; what the next start begins with. */
  latest(): LoadedConfig;
  /** Reads it again and takes over what can be. A configuration that cannot be used changes nothing. */
  reload(why: string): void;
  /** Changes one setting and keeps it. Never throws. */
  edit(name: string, text: string): Promise<EditOutcome>;
  /** For people, without secrets: what holds now by section, and what waits for the next start. */
  shown(): ShownConfig;
}

interface ShownConfig {
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly waiting: readonly KeyPath[];
}

/** Builds it; nothing is read before it is asked. */
export function createLiveConfig({ loaded, load, kept, onChange, logger }: LiveConfigOptions): LiveConfig {
  const running = createRunningConfig(loaded.config);
  const secret = new Set(secretsOf(loaded));
  let latest = loaded;
  let waiting: readonly KeyPath[] = [];

  return { config: running.config, latest: () => latest, reload, edit, shown };

  function reload(why: string): void {
    const next = load(kept.settings());
    if (next.problems.length === 0) take(next, why);
    else {
      for (const problem of next.problems) logger.error(problem);
      logger.error(`The configuration cannot be used (${why}): the one read before stays in use`);
    }
  }

  async function edit(name: string, text: string): Promise<EditOutcome> {
    const named = findEditable(name);
    if (!named.found) {
      const { fault, problem, candidates } = named;
      return { done: false, reason: fault === "key" ? "BADKEY" : "NOTALLOWED", problem, candidates };
    }
    const { path, key } = named.key;
    const [wrong] = readOverrides([{ path, text, option: path }]).problems;
    if (wrong) return badValue(wrong.text);
    const settings = new Map(kept.settings());
    settings.delete(key); // the same setting under its bare name
    settings.set(path, text);
    const next = load(settings);
    const [problem] = next.problems;
    if (problem !== undefined) return badValue(problem);
    const written = kept.keepSettings(settings);
    take(next, `${path} was edited`); // before anybody else reads the file again
    if (next.origins.get(path)?.from === "command line")
      logger.warn(`${path} stands on the command line: what escontrol changed has no effect`);
    await written;
    return { done: true };
  }

  function take(next: LoadedConfig, why: string): void {
    const said = new Set(latest.warnings);
    latest = next;
    for (const path of secretsOf(next)) secret.add(path);
    const before = waiting.join();
    const { changed, waiting: now } = running.take(next.config);
    waiting = now;
    const what = changed.length > 0 ? `changed ${changed.join(", ")}` : "nothing to change at once";
    logger.info(`The configuration was read again (${why}): ${what}`);
    for (const warning of next.warnings) if (!said.has(warning)) logger.warn(warning);
    if (waiting.length > 0 && waiting.join() !== before)
      logger.warn(
        `Only a restart takes up ${waiting.join(", ")}: \`restart\` of escontrol, or of the program`,
      );
    if (changed.length > 0) onChange(new Set(changed));
  }

  function shown(): ShownConfig {
    const settings: Record<string, Record<string, unknown>> = {};
    for (const { path, section, key, kind, secret: isSecret } of knownKeys.values()) {
      const value = valueAt(running.config, path);
      const origins = new Map([[path, { from: "file", secret: secret.has(path) } as const]]);
      const isPlain = !isSecret && !secret.has(path) && kind !== "url";
      const said = isPlain || value === null ? value : showValue({ config: running.config, origins }, path);
      settings[section] = { ...settings[section], [key]: said };
    }
    return { settings, waiting };
  }
}

/** The keys of which a part came from the secrets; once one, always one: the old value may still be in use. */
function secretsOf({ origins }: LoadedConfig): readonly KeyPath[] {
  return [...origins].flatMap(([path, { secret }]) => (secret ? [path] : []));
}

function badValue(problem: string): EditOutcome {
  return { done: false, reason: "BADVALUE", problem, candidates: [] };
}
