// How a monitor's pictures are to be searched, as the configuration says now.
import { readdir } from "node:fs/promises";
import path from "node:path";
import { sectionSettings } from "../config/detection-section.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../lib/log.ts";
import type { SettingsFor } from "./detection-job.ts";

/** Below the data directory. */
const MODELS_FOLDER = "models";

/** Never rejects. What the operator should know is said once. */
export function createSettingsFor(config: Config, logger: Logger): SettingsFor {
  const said = new Set<string>();

  return async (_monitor, options) => {
    const file = options.config ?? config.detection.config;
    if (file !== null) return { failed: `${file} cannot be read by this version` };
    const folder = path.join(config.general.base_data_path, MODELS_FOLDER);
    const present = await readdir(folder).catch(() => []);
    const read = sectionSettings(config.detection, folder, present);
    if ("failed" in read) return read;
    for (const warning of read.warnings) {
      if (!said.has(warning)) logger.warn(warning);
      said.add(warning);
    }
    return read.settings;
  };
}
