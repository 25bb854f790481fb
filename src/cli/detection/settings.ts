// How a monitor's pictures are to be searched, as the configuration says now.
import { readdir } from "node:fs/promises";
import path from "node:path";
import { sectionSettings } from "../../config/detection-section.ts";
import { createObjectConfigs } from "../../config/objectconfig/kept-file.ts";
import type { Config } from "../../config/schema.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { DetectSettings } from "../../domain/detect-settings.ts";
import { AppError, reasonOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { SettingsFor } from "./job.ts";

/** Below the data directory. */
const MODELS_FOLDER = "models";
const NO_OVERRIDES = "overrides need an objectconfig file: set detection.config, or name one with --config";

/** Never rejects. What the operator should know is said once. */
export function createSettingsFor(
  config: Pick<Config, "detection" | "general">,
  logger: Logger,
): SettingsFor {
  const said = new Set<string>();
  const sayOnce = (warning: string) => {
    if (!said.has(warning)) logger.warn(warning);
    said.add(warning);
  };
  const files = createObjectConfigs(config.detection);

  return async (monitor, options) => {
    const file = options.config ?? config.detection.config;
    if (file !== null) return fromFile(file, monitor, options);
    if (options.overrides.length > 0) sayOnce(NO_OVERRIDES);
    const folder = path.join(config.general.base_data_path, MODELS_FOLDER);
    const present = await readdir(folder).catch(() => []);
    const read = sectionSettings(config.detection, folder, present);
    if ("failed" in read) return read;
    for (const warning of read.warnings) sayOnce(warning);
    return read.settings;
  };

  function fromFile(
    file: string,
    monitor: number | null,
    { overrides, engine }: DetectRequest["options"],
  ): DetectSettings | { readonly failed: string } {
    try {
      const { objectConfig, isNew } = files.read(file);
      const count = isNew ? objectConfig.review().notes.length : 0;
      if (count > 0)
        sayOnce(
          `${file}: ${count} of its keys have no effect, or another than before; zmes check-config lists them`,
        );
      return objectConfig.settingsFor(monitor, { overrides, engine });
    } catch (failure) {
      if (!(failure instanceof AppError)) return { failed: reasonOf(failure) };
      return { failed: `${failure.message}. ${failure.hint}` };
    }
  }
}
