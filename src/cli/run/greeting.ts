// What the log says first: which program begins with which configuration, and what the operator had better know.
import { existsSync } from "node:fs";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { AppError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { controlFile } from "../../store/overrides.ts";
import { detectOriginal } from "../../zoneminder/original.ts";
import { programVersion } from "../version.ts";

/** Said once the log goes where it belongs. */
export function greet(logger: Logger, { config, source, warnings }: LoadedConfig): void {
  logger.info(`Event Notification daemon v ${programVersion} starting`);
  logger.info(source.read ? `using config file: ${source.path}` : `no config file: defaults are used`);
  for (const warning of warnings) logger.warn(warning);
  tellOldOverrides(config.general, logger);
  const original = detectOriginal();
  if (original === null) return;
  const { code, message, hint } = new AppError("ORIGINAL_RUNNING", { pid: original });
  logger.warn(`${message}. ${hint} [${code}]`);
}

/** What the original kept can only be read by Perl: said as long as nothing of it was set again. */
function tellOldOverrides(general: Config["general"], logger: Logger): void {
  const { use_escontrol_interface, escontrol_interface_file: old, base_data_path } = general;
  if (!use_escontrol_interface || !existsSync(old) || existsSync(controlFile(base_data_path))) return;
  logger.warn(`What the original's control interface changed, in ${old}, cannot be read: set it again`);
}
