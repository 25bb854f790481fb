// Writes hook scripts for tests, and builds the hooks that run them.
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig } from "../../src/config/schema.ts";
import type { BuiltIn } from "../../src/hooks/built-in.ts";
import { createHooks, type HookOptions, type Hooks } from "../../src/hooks/hooks.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { recordingLogger } from "../support/server.ts";

export interface HookSite {
  readonly folder: string;
  readonly log: Record<string, unknown>[];
  /** Everything that was logged, as one text. */
  said(): string;
  /** Writes an executable script and gives its path. */
  script(text: string): string;
  hooks(change?: Partial<HookOptions>, isOldDialect?: boolean, builtIn?: BuiltIn): Hooks;
  stop(): Promise<void>;
}

export function createHookSite(eventFolder: string | null = null): HookSite {
  const folder = mkdtempSync(join(tmpdir(), "zmes-hooks-"));
  const log: Record<string, unknown>[] = [];
  const made: Hooks[] = [];
  let count = 0;
  return {
    folder,
    log,
    said: () => JSON.stringify(log),
    script(text) {
      const path = join(folder, `script ${++count}`);
      writeFileSync(path, text);
      chmodSync(path, 0o755);
      return path;
    },
    hooks(change = {}, isOldDialect = false, builtIn) {
      const hooks = createHooks({
        hook: { ...defaultConfig().hook, ...change },
        customize: { use_hooks: !isOldDialect && builtIn === undefined },
        isOldDialect,
        builtIn: builtIn ?? null,
        eventFolder: async () => eventFolder,
        environment: process.env,
        clock: systemClock,
        logger: recordingLogger(log),
      });
      made.push(hooks);
      return hooks;
    },
    async stop() {
      for (const hooks of made) await hooks.stop();
    },
  };
}
