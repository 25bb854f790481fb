// What the log says of a monitor whose shared memory cannot be read or understood.
import type { Monitor } from "../domain/monitor.ts";
import { AppError } from "../lib/errors.ts";
import type { ShmFile } from "./shm-file.ts";
import { formatVersion, type ZmVersion } from "./version.ts";

/** The file is there and has a size of its structures that no known release writes. */
export function unknownLayout({ id, name }: Monitor, file: ShmFile, version: ZmVersion | null): string {
  const { shared, trigger } = file.seenSizes ?? { shared: 0, trigger: null };
  const release = version === null ? "version unknown" : formatVersion(version);
  const sizes = `SharedData ${shared} bytes, TriggerData ${trigger ?? "none"}, ZoneMinder ${release}`;
  const { code, message, hint } = new AppError("ZM_SHM_UNKNOWN_LAYOUT", {
    monitor: `${id} (${name})`,
    sizes,
  });
  return `${message}. ${hint} [${code}]`;
}

/** The file is there and cannot be opened; `problem` is the system's name for why, such as "EACCES". */
export function cannotBeRead({ id, name }: Monitor, file: ShmFile, problem: string): string {
  return (
    `Monitor ${id} (${name}): ${file.path} cannot be read (${problem}). ` +
    "Run as the user of ZoneMinder's web server (www-data or apache)"
  );
}
