// Keys that once had another name or stood in another section, and where they live now.
import type { KeyPath } from "./schema.ts";

/** Old path to present path. The old one is read; the present one wins where a file has both. */
export const oldHomes: ReadonlyMap<KeyPath, KeyPath> = new Map([
  // 1.5 to 2.x kept the hook in [customize].
  ["customize.hook", "hook.hook_script"],
  ["customize.use_hook_description", "hook.use_hook_description"],
  // The instructions of 3.2 call the key so, although its program read use_hook_description.
  ["customize.hook_description", "hook.use_hook_description"],
  ["hook.hook_description", "hook.use_hook_description"],
  // Until 5.11 skip_monitors in [hook] meant "no hook for these"; since then it is another key in [general].
  ["hook.skip_monitors", "hook.hook_skip_monitors"],
  ["hook.store_frame_in_zm", "hook.hook_pass_image_path"],
  ["fcm.android_priority", "fcm.fcm_android_priority"],
]);
