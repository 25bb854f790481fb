// With the built-in detector, what is not set means something more useful than in the original.
import type { Config, KeyPath } from "./schema.ts";

/**
 * The original tells nobody as long as its lists are not set. With `detection.enable` and nothing else configured,
 * everybody is told when something was found, and with what.
 */
export function withDetectionDefaults(config: Config, isSet: (path: KeyPath) => boolean): Config {
  const { enable, at_end } = config.detection;
  if (!enable) return config;
  const unset = (key: keyof Config["hook"]) => !isSet(`hook.${key}`);
  return {
    ...config,
    hook: {
      ...config.hook,
      ...(unset("use_hook_description") && { use_hook_description: true }),
      ...(unset("event_start_notify_on_hook_success") && { event_start_notify_on_hook_success: ["all"] }),
      ...(at_end &&
        unset("event_end_notify_on_hook_success") && { event_end_notify_on_hook_success: ["all"] }),
    },
  };
}
