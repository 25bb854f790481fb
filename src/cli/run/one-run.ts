// One life of the server inside the process: from its lock on the data directory until it ends or begins anew.
import path from "node:path";
import type { LoadedConfig } from "../../config/load.ts";
import { lockDataDirectory } from "../../store/lock.ts";
import { type BuildOptions, build } from "./build.ts";
import { watchConfig } from "./config-watch.ts";
import type { LiveConfig } from "./live-config.ts";

export interface OneRunOptions extends BuildOptions {
  /** Aborted when the program shall end; `stopped` resolves then. */
  readonly stop: AbortSignal;
  readonly stopped: Promise<void>;
  /** Rejects when the program has failed. */
  readonly crashed: Promise<never>;
  /** What a signal reads again; null while there is nothing to. */
  readonly onLive: (live: LiveConfig | null) => void;
}

/** Resolves with the configuration to begin anew with, or with null when the program shall end. */
export async function oneRun(options: OneRunOptions): Promise<LoadedConfig | null> {
  const { loaded, stop, stopped, crashed, onLive } = options;
  const { logger } = options.log;
  const lock = lockDataDirectory(loaded.config.general.base_data_path);
  try {
    const { daemon, live, restart } = await build(options);
    const files = filesOf(loaded);
    const watch = watchConfig({ files, onChange: () => live.reload("its file has changed"), logger });
    onLive(live);
    try {
      await Promise.race([daemon.start(stop), crashed]);
      options.serviceManager.ready();
      const why = await Promise.race([stopped, crashed, restart]);
      logger.info(why === "restart" ? "Restarting, as escontrol asked for" : "Stopping");
      return why === "restart" ? toBeginWith(options, live) : null;
    } finally {
      onLive(null);
      watch.close();
      await daemon.stop();
    }
  } finally {
    lock.release();
  }
}

function filesOf({ source, config }: LoadedConfig): readonly string[] {
  const { secrets } = config.general;
  return secrets === null ? [source.path] : [source.path, path.resolve(path.dirname(source.path), secrets)];
}

/** What stands in the file now; when that cannot be used, what ran until now. */
function toBeginWith({ read, log }: OneRunOptions, live: LiveConfig): LoadedConfig {
  const next = read();
  if (next.problems.length === 0) return next;
  for (const problem of next.problems) log.logger.error(problem);
  log.logger.error("The configuration cannot be used: the restart keeps the one read before");
  return live.latest();
}
