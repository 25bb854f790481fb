// Objectconfig files as they are now: read when they are needed, and again when they or their secrets have changed.
import { statSync } from "node:fs";
import { AppError } from "../../lib/errors.ts";
import { readTextFile } from "../config-file.ts";
import type { Config } from "../schema.ts";
import { type ObjectConfig, type OwnSettings, parseObjectConfig } from "./object-config.ts";

export interface ObjectConfigs {
  /** `isNew`: it was read just now. Throws OBJECTCONFIG_INVALID when it cannot be read. */
  read(path: string): { readonly objectConfig: ObjectConfig; readonly isNew: boolean };
}

type Section = Pick<
  Config["detection"],
  "zone_rule" | "zone_min_overlap" | "hog_min_weight" | "model_layout"
>;

/** Commands may name files of their own; nobody has more. */
const MOST_KEPT = 20;

/** The fullest known has 30 KB; the time for one of YAML grows with the square, and cameras wait for it. */
const LARGEST = 131_072;

export function createObjectConfigs(section: Section): ObjectConfigs {
  const kept = new Map<string, Kept>();
  return {
    read(path) {
      const known = kept.get(path);
      if (known !== undefined && isCurrent(path, known))
        return { objectConfig: known.objectConfig, isNew: false };
      // Before it is read: what is written meanwhile is seen the next time.
      const stamp = stampOf(path);
      const objectConfig = loadObjectConfig(path, section);
      const { secretsPath } = objectConfig;
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(path, { stamp, secretsStamp: secretsPath === null ? "" : stampOf(secretsPath), objectConfig });
      return { objectConfig, isNew: true };
    },
  };
}

interface Kept {
  readonly stamp: string;
  readonly secretsStamp: string;
  readonly objectConfig: ObjectConfig;
}

function isCurrent(path: string, { stamp, secretsStamp, objectConfig: { secretsPath } }: Kept): boolean {
  return stamp === stampOf(path) && (secretsPath === null || secretsStamp === stampOf(secretsPath));
}

/** Reads the file. Throws OBJECTCONFIG_INVALID when that cannot be done. */
export function loadObjectConfig(path: string, section: Section): ObjectConfig {
  const content = readTextFile(path, { mayBePipe: false });
  if (!content.ok)
    throw new AppError("OBJECTCONFIG_INVALID", { place: path, problem: `cannot be read: ${content.why}` });
  if (content.text.length > LARGEST)
    throw new AppError("OBJECTCONFIG_INVALID", { place: path, problem: `is larger than ${LARGEST} bytes` });
  return parseObjectConfig(path, content.text, ownSettings(section));
}

function ownSettings({ zone_rule, zone_min_overlap, hog_min_weight, model_layout }: Section): OwnSettings {
  return {
    rule: zone_rule,
    minOverlapPercent: zone_min_overlap,
    hogMinWeight: hog_min_weight / 100,
    layout: model_layout,
  };
}

/** Changes whenever the file does. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return "absent";
  }
}
