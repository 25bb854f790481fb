// Looks at the files a configuration names, as the server will when it starts.
import { readServiceAccount } from "../../channels/fcm/account.ts";
import { scriptTrouble } from "../../channels/script-file.ts";
import { patternFault } from "../../config/detection-section.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { loadObjectConfig } from "../../config/objectconfig/kept-file.ts";
import { noteLine } from "../../config/objectconfig/object-config.ts";
import { loadRules } from "../../config/rules-file.ts";
import { SCRIPT_PATH } from "../../hooks/runner.ts";
import { AppError } from "../../lib/errors.ts";
import { expiryWarning, loadTls } from "../../server/tls.ts";
import { readZmConf } from "../../zoneminder/zm-conf.ts";

export interface FileFindings {
  readonly warnings: readonly string[];
  /** What would stop the start. */
  readonly problems: readonly string[];
  /** What is to be said about the keys of the objectconfig file. */
  readonly objectConfig?: readonly string[];
}

/** Only reads. `now` in ms since 1970. */
export async function checkFiles({ config }: LoadedConfig, now: number): Promise<FileFindings> {
  const tls = await checkCertificate(config.ssl, now);
  const zoneminder = readZmConf(config.zoneminder.config);
  // The configuration may be written before ZoneMinder is installed, or on another machine: no fault of it.
  const absent = zoneminder.ok ? [] : [`The server needs ZoneMinder on this machine: ${zoneminder.problem}`];
  const push = await checkServiceAccount(config.fcm);
  const script = checkPushScript(config.push);
  const rules = checkRules(config.customize.es_rules);
  const detection = checkDetection(config.detection);
  const warnings = [...tls.warnings, ...push, ...script, ...rules, ...detection.warnings, ...absent];
  return { warnings, problems: tls.problems, objectConfig: detection.notes };
}

/** Alarms are told all the same, without detection: a warning. */
function checkDetection(section: LoadedConfig["config"]["detection"]): {
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
} {
  if (section.config === null) {
    const fault = patternFault(section);
    return { warnings: fault === null ? [] : [fault], notes: [] };
  }
  try {
    const { problems, notes } = loadObjectConfig(section.config, section).review();
    return { warnings: problems, notes: notes.map(noteLine) };
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return { warnings: [failure.message], notes: [] };
  }
}

/** The server starts with a broken file as well, with what it can read of it: a warning. */
function checkRules(path: string | null): readonly string[] {
  if (path === null) return [];
  const { problems, warnings } = loadRules(path);
  const broken =
    problems.length === 0 ? [] : [`${path} is broken: only what can be read of the rules is used`];
  return [...problems, ...broken, ...warnings];
}

/** No phone is reached with a bad key, but everything else works: a warning, as at the start. */
async function checkServiceAccount(fcm: LoadedConfig["config"]["fcm"]): Promise<readonly string[]> {
  if (!fcm.enable || !fcm.fcm_service_account_file) return [];
  try {
    await readServiceAccount(fcm.fcm_service_account_file);
    return [];
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return [`${failure.message}. ${failure.hint}`];
  }
}

/** Everything else works without it: a warning, as at the start. */
function checkPushScript(push: LoadedConfig["config"]["push"]): readonly string[] {
  if (!push.use_api_push || push.api_push_script === null) return [];
  const trouble = scriptTrouble(push.api_push_script, SCRIPT_PATH);
  return trouble === null ? [] : [`${trouble.message}. ${trouble.hint}`];
}

async function checkCertificate(ssl: LoadedConfig["config"]["ssl"], now: number): Promise<FileFindings> {
  // That one of them is not set has been told already, with its line.
  if (!ssl.enable || ssl.cert === null || ssl.key === null) return { warnings: [], problems: [] };
  try {
    const warning = expiryWarning((await loadTls(ssl)).validTo, ssl.cert, now);
    return { warnings: warning === null ? [] : [warning], problems: [] };
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return { warnings: [], problems: [`${failure.message}. ${failure.hint}`] };
  }
}
