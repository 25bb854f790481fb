// The options that stand above the configuration, as the help text shows them.
import { options } from "../config/cli-options.ts";
import type { OptionHelp } from "./command.ts";

/** Help for every option of the original; `--help` and `--version` belong to the program as a whole. */
export const configOptions: readonly OptionHelp[] = options
  .filter(({ name }) => name !== "help" && name !== "version")
  .map(({ name, value, path, about }) => {
    const sign = value === null && path !== null ? "--[no-]" : "--";
    const key = path === null ? "" : ` (${path})`;
    return { flag: `${sign}${name}${value === null ? "" : ` ${value}`}`, text: `${about}${key}` };
  });
