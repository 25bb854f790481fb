// Objectconfig files for one test: those in tests/fixtures/objectconfig, and texts.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type ObjectConfig,
  type OwnSettings,
  parseObjectConfig,
} from "../../../src/config/objectconfig/object-config.ts";
import { AppError } from "../../../src/lib/errors.ts";

const OWN: OwnSettings = { rule: "touches", minOverlapPercent: 0, hogMinWeight: 0.5, layout: null };

/** As for "v3.2.ini", "v6.ini", "v6-old-keys.ini", "v7.yml". */
export function sample(name: string, own: Partial<OwnSettings> = {}): ObjectConfig {
  const { path, text } = sampleText(name);
  return parseObjectConfig(path, text, { ...OWN, ...own });
}

export function sampleText(name: string): { readonly path: string; readonly text: string } {
  const path = fileURLToPath(new URL(`../../fixtures/objectconfig/${name}`, import.meta.url));
  return { path, text: readFileSync(path, "utf8") };
}

export function parsed(text: string, path = "/etc/zm/objectconfig.ini"): ObjectConfig {
  return parseObjectConfig(path, text, OWN);
}

/** A file of version 6 with one model and these keys. */
export function version6(keys: string, monitor = ""): ObjectConfig {
  return parsed(`[general]\nuse_sequence=no\nobject_weights=/m/a.onnx\n${keys}\n${monitor}`);
}

/** "LINE KEY", for each note. */
export function noted(config: ObjectConfig): readonly string[] {
  return config.review().notes.map(({ line, key }) => `${line} ${key}`);
}

/** The message of what is thrown, which must be for the operator. */
export function refusal(work: () => unknown): string {
  try {
    work();
  } catch (failure) {
    if (failure instanceof AppError && failure.code === "OBJECTCONFIG_INVALID") return failure.message;
    throw failure;
  }
  return "";
}
