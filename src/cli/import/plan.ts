// Plans an import from beginning to end without changing anything: what is found, what would be written, what is lost.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Dialect } from "../../config/dialect.ts";
import { type LoadedConfig, loadConfig } from "../../config/load.ts";
import { type KeyPath, valueAt } from "../../config/schema.ts";
import { findZmConf } from "../setup/found.ts";
import { lookAtDetection } from "./detection.ts";
import type { Loss } from "./loss.ts";
import { findLosses } from "./losses.ts";
import { findPlaces, type Places } from "./places.ts";
import { lookAtRules } from "./rules-findings.ts";
import { decideSettings, type SecretsHome, type Settings } from "./settings.ts";
import { locateIn, type Row, type Survey, surveyFile } from "./survey.ts";
import { planTokens, type TokenPlan } from "./tokens.ts";
import { importedConfig, secretsFile } from "./write-config.ts";

/** The paths inside the root that an import writes. */
export const TARGET = "/etc/zm/zmes.yml";
export const SECRETS_TARGET = "/etc/zm/zmes-secrets.yml";

export interface ImportRequest {
  readonly root: string;
  readonly from: readonly string[];
  /** Whether the server may read that file; the original's secrets are otherwise copied. */
  readonly serverReads: (file: string) => Promise<boolean>;
  /** Whether the built-in detector is to take the place of the original's scripts. */
  readonly detection?: boolean;
}

export interface ImportPlan {
  /** The file that is taken, by the path programs know it; its form is of `versions`. */
  readonly source: string;
  readonly versions: string;
  /** Why nothing of it can be used, and must not be written; null otherwise. */
  readonly unreadable: string | null;
  /** Other files of settings, which are not looked at. */
  readonly others: readonly string[];
  readonly rows: readonly Row[];
  readonly losses: readonly Loss[];
  /** What keeps the server from starting with the new file. */
  readonly problems: readonly string[];
  readonly config: string;
  /** Text of the file of secrets; null: none is needed. */
  readonly secrets: string | null;
  readonly copyTokens: TokenPlan["copy"];
  /** Lines that switch to the built-in detector. */
  readonly detection: readonly string[];
  /** Phones that a test message can be sent to. */
  readonly phones: number;
  readonly places: Places;
}

/** Null where no original is found. Only reads. */
export async function planImport(request: ImportRequest): Promise<ImportPlan | null> {
  const { root, from, serverReads, detection: isSwitched = false } = request;
  const places = findPlaces(root, from);
  const [file, ...others] = places.configs;
  if (file === undefined) return null;
  const survey = surveyFile(file, places);
  const { config, dialect } = survey.loaded;
  const isSet = survey.loaded.origins.has("fcm.token_file");
  const before = importedTokens(places);
  const tokens = planTokens({ places, config, configPath: survey.path, isSet, before });
  const rules = lookAtRules(config, dialect, places);
  const decided = decideSettings(
    survey,
    await secretsHome(survey, places, serverReads),
    adjustments(tokens, survey, places),
  );
  const detection = lookAtDetection(config, places, isSwitched);
  const parts = {
    source: survey.path,
    versions: VERSIONS[dialect],
    unused: survey.unused,
    notes: detection.fileLines,
  };
  const { kept, unwritable, problems } = provedSettings(survey.loaded, decided, places, (settings) =>
    importedConfig({ ...parts, settings }),
  );
  return {
    source: survey.path,
    versions: VERSIONS[dialect],
    unreadable: survey.unreadable,
    others: others.map(places.named),
    rows: [
      ...kept.map(({ row }) => row),
      ...survey.unused,
      ...unwritable,
      ...tokens.rows,
      ...rules.rows,
      ...detection.rows,
    ],
    losses: findLosses({
      survey,
      places,
      tokens: tokens.entries,
      lostPhones: tokens.lost,
      rules: rules.losses,
      foreignDetection: detection.foreign,
    }),
    problems,
    config: importedConfig({ ...parts, settings: kept }),
    secrets: decided.secrets.size > 0 ? secretsFile(decided.secrets, TARGET) : null,
    copyTokens: tokens.copy,
    detection: detection.lines,
    phones: tokens.entries.size,
    places,
  };
}

const VERSIONS: Readonly<Record<Dialect, string>> = {
  "ini-1.0": "1.0 to 3.2",
  "ini-3.3": "3.3 to 4",
  "ini-5.0": "5 and 6",
  "yaml-7": "7",
  none: "unknown",
};

/** The token file of the zmes.yml that is there; null where there is none. */
function importedTokens(places: Places): string | null {
  const { source, config } = loadConfig({ path: places.inRoot(TARGET), locate: locateIn(places) });
  return source.read ? config.fcm.token_file : null;
}

/** One place for a password is best: the original's file, where the server can read it. */
async function secretsHome(
  survey: Survey,
  places: Places,
  serverReads: ImportRequest["serverReads"],
): Promise<SecretsHome> {
  const own: SecretsHome = { kind: "own", file: SECRETS_TARGET };
  const named = survey.loaded.config.general.secrets;
  if (named === null) return own;
  const file = path.resolve(path.dirname(survey.path), named);
  const there = places.inRoot(file);
  // A file that keeps the server from starting is better left alone.
  const isWhole = !survey.loaded.problems.some((problem) => problem.startsWith(`${there}:`));
  return isWhole && places.find(file) === there && (await serverReads(there))
    ? { kind: "original", file }
    : own;
}

function adjustments({ file, why }: TokenPlan, { loaded }: Survey, places: Places) {
  const adjusted = new Map<KeyPath, { readonly value: unknown; readonly why: string }>();
  if (file !== null) adjusted.set("fcm.token_file", { value: file, why });
  const zmConf = findZmConf(places.root);
  if (zmConf !== null && !loaded.origins.has("zoneminder.config") && places.find(USUAL_ZM_CONF) === null)
    adjusted.set("zoneminder.config", {
      value: places.named(zmConf),
      why: "ZoneMinder's own configuration is there",
    });
  return adjusted;
}

const USUAL_ZM_CONF = "/etc/zm/zm.conf";

/** Reads the new file back, and leaves out what would not mean the same: better missing than wrong. */
function provedSettings(
  before: LoadedConfig,
  decided: Settings,
  places: Places,
  write: (settings: Settings["settings"]) => string,
): { kept: Settings["settings"]; unwritable: readonly Row[]; problems: readonly string[] } {
  const folder = mkdtempSync(path.join(tmpdir(), "zmes-import-"));
  try {
    const written = path.join(folder, "zmes.yml");
    const secrets = path.join(folder, "secrets.yml");
    writeFileSync(secrets, secretsFile(decided.secrets, TARGET), { mode: 0o600 });
    writeFileSync(written, write(decided.settings), { mode: 0o600 });
    const locate = (named: string): string => (named === SECRETS_TARGET ? secrets : locateIn(places)(named));
    const after = loadConfig({ path: written, locate });
    const isSame = ({ path: key, value }: Settings["settings"][number]): boolean => {
      const wanted = isReference(value) ? valueAt(before.config, key) : value;
      return JSON.stringify(valueAt(after.config, key)) === JSON.stringify(wanted);
    };
    const kept = decided.settings.filter(isSame);
    const unwritable = decided.settings
      .filter((setting) => !isSame(setting))
      .map(
        ({ row }): Row => ({
          ...row,
          outcome: "not used",
          why: "write it by hand: it would be read differently",
        }),
      );
    return { kept, unwritable, problems: after.problems.map((line) => line.replace(written, TARGET)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("!");
}
