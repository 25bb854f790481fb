// The configuration as the running program has it: what can change while it runs changes in place.
import { type Config, type KeyPath, knownKeys, valueAt } from "./schema.ts";

export interface RunningConfig {
  /**
   * Given to every part by its sections. A part that reads a key when it needs it sees the change; keys that are read
   * only once keep what they had at the start, here as well.
   */
  readonly config: Config;
  /** Takes over what can be, and says what was changed and what still waits for the next start. */
  take(next: Config): Difference;
}

interface Difference {
  /** Changed by this call. */
  readonly changed: readonly KeyPath[];
  /** Differs from what runs, and is taken up by the next start. */
  readonly waiting: readonly KeyPath[];
}

/** A copy to run with; the one given is left as it is. */
export function createRunningConfig(loaded: Config): RunningConfig {
  const config: Config = structuredClone(loaded);
  const sections: Readonly<Record<string, object>> = config;
  return {
    config,
    take(next) {
      const different = [...knownKeys.values()].filter(
        ({ path, status }) =>
          status !== "no longer needed" && !isSame(valueAt(config, path), valueAt(next, path)),
      );
      const changed = different.filter(({ live }) => live);
      for (const { section, key, path } of changed)
        Object.assign(sections[section] ?? {}, { [key]: valueAt(next, path) });
      return {
        changed: changed.map(({ path }) => path),
        waiting: different.filter(({ live }) => !live).map(({ path }) => path),
      };
    },
  };
}

/** Values are scalars or lists of them. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
