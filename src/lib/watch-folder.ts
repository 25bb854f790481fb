// Tells when something happens in a folder.
import { type FSWatcher, watch } from "node:fs";
import { reasonOf } from "./errors.ts";
import type { Logger } from "./log.ts";

/**
 * Calls `onEvent` at each change in the folder, also for changes that are none. Nothing is watched where the system refuses
 * (its limit of watches, some network file systems): the caller looks again every `anyway`, words for the log.
 */
export function watchFolder(
  folder: string,
  onEvent: () => void,
  { anyway, logger }: { readonly anyway: string; readonly logger: Logger },
): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch (failure) {
    logger.debug(`Changes in ${folder} are seen ${anyway} only: ${reasonOf(failure)}`);
    return [];
  }
}
