// Notices that the file of the configuration, or the one with its secrets, has been changed.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../../lib/log.ts";
import { watchFolder } from "../../lib/watch-folder.ts";

export interface ConfigWatchOptions {
  readonly files: readonly string[];
  readonly onChange: () => void;
  readonly logger: Logger;
}

/** Editors write in several steps, and some put a new file in the place of the old one. */
const SETTLE_MS = 300;
/** Mounted files and some network file systems send no word of a change. */
const LOOK_EVERY_MS = 10_000;

/** Calls back once per change, when the files have come to rest; until `close`. */
export function watchConfig({ files, onChange, logger }: ConfigWatchOptions): { close(): void } {
  let known = stampsOf(files);
  let settling: NodeJS.Timeout | undefined;

  const look = (): void => {
    const now = stampsOf(files);
    if (now === known) return;
    known = now;
    onChange();
  };
  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(look, SETTLE_MS);
  };
  // The folder, not the file: a file that is replaced is another one.
  const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) =>
    watchFolder(folder, settle, { anyway: "every ten seconds", logger }),
  );
  const timer = setInterval(look, LOOK_EVERY_MS);

  return {
    close() {
      clearTimeout(settling);
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** By which a change is recognised; a file that is not there counts as one. */
function stampsOf(files: readonly string[]): string {
  return files.map(stampOf).join();
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch {
    return "absent";
  }
}
