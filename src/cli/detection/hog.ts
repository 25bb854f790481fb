// For detect_hog.py: the people detector, whatever else is configured.
import { sectionSettings } from "../../config/detection-section.ts";
import type { Config } from "../../config/schema.ts";
import type { SettingsFor } from "./job.ts";

/** The same settings, except that what asks for hog gets nothing else: as configured, else as the section has it. */
export function withHogOnDemand(
  settingsFor: SettingsFor,
  { detection }: Pick<Config, "detection">,
): SettingsFor {
  return async (monitor, options) => {
    const settings = await settingsFor(monitor, options);
    if (options.engine !== "hog" || "failed" in settings) return settings;
    const configured = settings.sequence.flatMap((group) => {
      const models = group.models.filter(({ engine }) => engine.kind === "hog");
      return models.length === 0 ? [] : [{ ...group, models }];
    });
    if (configured.length > 0) return { ...settings, sequence: configured };
    const own = sectionSettings({ ...detection, engine: "hog" }, "/", []);
    return "failed" in own ? own : { ...settings, sequence: own.settings.sequence };
  };
}
