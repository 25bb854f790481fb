// Says in today's keys what a hook meant in versions 1.5 to 4, which had neither a switch nor lists of channels.
import { isOldDialect } from "../../config/dialect.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { KeyPath } from "../../config/schema.ts";

/** A setting that no line of the file has. */
export interface Addition {
  readonly path: KeyPath;
  readonly value: boolean | readonly string[];
  readonly why: string;
}

/** Empty for files of 5 and later, and where there is no hook. */
export function oldHookAdditions({ config: { hook }, dialect }: LoadedConfig): readonly Addition[] {
  const hasStart = hook.hook_script !== null || hook.event_start_hook !== null;
  const hasEnd = hook.event_end_hook !== null;
  if (!isOldDialect(dialect) || !(hasStart || hasEnd)) return [];
  const phases = [...(hasStart ? ["start"] : []), ...(hasEnd ? ["end"] : [])];
  return [
    {
      path: "customize.use_hooks",
      value: true,
      why: "versions 1.5 to 4 ran a configured hook without a switch",
    },
    ...phases.flatMap((phase) => [
      {
        path: `hook.event_${phase}_notify_on_hook_success`,
        value: ["all"],
        why: "versions 1.5 to 4 told everybody when the hook said yes",
      },
      {
        path: `hook.event_${phase}_notify_on_hook_fail`,
        value: ["none"],
        why: "versions 1.5 to 4 told nobody when the hook said no",
      },
    ]),
  ];
}

/** What such a hook does differently under the settings of today; null where nothing changes. */
export function oldHookChange({ config: { hook }, dialect }: LoadedConfig): string | null {
  const hasHook = hook.hook_script !== null || hook.event_start_hook !== null;
  if (!isOldDialect(dialect) || !hasHook) return null;
  const text = hook.use_hook_description
    ? "; its text stands before the cause, and no longer replaces it"
    : "";
  return `a hook that prints nothing now means no${text}`;
}
