// The detection server of [remote]: asked in place of the models of the file, which take over when it does not answer.
import type { ModelGroup, RemoteSettings } from "../../domain/detect-settings.ts";
import { translatePattern } from "../../domain/python-pattern.ts";
import { note, type Reading } from "./reading.ts";
import { find, scopeOf, takeChoice, takeFlag, takeSeconds, takeText } from "./take.ts";

/**
 * The groups as they are without ml_gateway. With it, one group: the server runs its own sequence of all kinds of models,
 * so it is asked once for each picture. Only one model can take over: the first.
 */
export function withRemote(reading: Reading, groups: readonly ModelGroup[]): readonly ModelGroup[] {
  const scope = scopeOf(reading, reading.values);
  const url = takeText(scope, "ml_gateway");
  const [first] = groups;
  if (url === null || first === undefined) return groups;
  const isMlapi = reading.file.version !== 7;
  const fallback =
    groups.flatMap(({ models }) => models).find(({ engine }) => engine.kind !== "plates") ?? null;
  const hasFallback = takeFlag(scope, false, "ml_fallback_local");
  const engine: RemoteSettings = {
    kind: "remote",
    protocol: takeChoice(scope, PROTOCOLS, isMlapi ? "mlapi" : "pyzm", "ml_gateway_protocol"),
    url,
    user: takeText(scope, "ml_user"),
    password: takeText(scope, "ml_password"),
    timeoutMs: takeSeconds(scope, isMlapi ? 5_000 : 60_000, "ml_timeout"),
    allowSelfSigned: takeFlag(scope, true, "allow_self_signed"),
    fallback: hasFallback ? (fallback?.engine ?? null) : null,
  };
  tell(reading, groups, hasFallback, fallback !== null);
  const model = {
    name: fallback?.name ?? "remote",
    engine,
    minConfidence: fallback?.minConfidence ?? 0,
    maxDetectionSize: fallback?.maxDetectionSize ?? null,
    preExistingLabels: [],
  };
  return [{ ...first, pattern: anyOf(groups), preExistingLabels: [], models: [model] }];
}

const PROTOCOLS = { mlapi: "mlapi", pyzm: "pyzm" } as const;

function tell(
  reading: Reading,
  groups: readonly ModelGroup[],
  hasFallback: boolean,
  canFallBack: boolean,
): void {
  const key = hasFallback ? "ml_fallback_local" : "ml_gateway";
  const value = find(scopeOf(reading, reading.values), key);
  const count = groups.flatMap(({ models }) => models).length;
  if (value === null) return;
  if (hasFallback && !canFallBack) note(reading, value, "no model of this file can take over here");
  else if (hasFallback && count > 1)
    note(reading, value, "one model takes over when the server does not answer: the first of ml_sequence");
  if (!hasFallback && count > 0)
    note(
      reading,
      value,
      "the server looks with its own models: those of this file are not used, ml_fallback_local is no",
    );
}

/** Its answer has things of all kinds in it. Flags at the beginning of one pattern would count for all: then anything goes. */
function anyOf(groups: readonly ModelGroup[]): string {
  const patterns = [...new Set(groups.map(({ pattern }) => pattern))];
  const [only] = patterns;
  if (only !== undefined && patterns.length === 1) return only;
  const joined = patterns.map((pattern) => `(?:${pattern})`).join("|");
  return translatePattern(joined) instanceof RegExp ? joined : ".*";
}
