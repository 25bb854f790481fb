// A subject for the checks of `zmes doctor`, in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Check, Finding } from "../../src/cli/doctor/check.ts";
import { runChecks } from "../../src/cli/doctor/check.ts";
import { createSubject, type SubjectOptions } from "../../src/cli/doctor/subject.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { readZmConf } from "../../src/zoneminder/zm-conf.ts";

export interface Patient {
  readonly folder: string;
  /** Runs one check on this configuration; `zm`: keys of zm.conf. */
  examine(
    check: Check,
    config?: Readonly<Record<string, object>>,
    change?: Partial<SubjectOptions>,
  ): Promise<readonly Finding[]>;
  writeZmConf(values: Readonly<Record<string, string>>): void;
  remove(): void;
}

export function createPatient(): Patient {
  const folder = mkdtempSync(join(tmpdir(), "zmes-doctor-"));
  mkdirSync(join(folder, "data"));
  const zmConf = join(folder, "zm.conf");
  const writeZmConf = (values: Readonly<Record<string, string>>) => {
    const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(zmConf, lines.join(""));
  };
  writeZmConf({ ZM_WEB_USER: "www-data" });
  return {
    folder,
    writeZmConf,
    async examine(check, config = {}, change = {}) {
      const file = join(folder, "zmes.yml");
      const general = { base_data_path: join(folder, "data"), ...config.general };
      const usual = { ssl: { enable: false }, fcm: { enable: false }, zoneminder: { config: zmConf } };
      writeFileSync(file, stringify({ ...usual, ...config, general }));
      const { subject, close } = createSubject({
        loaded: loadConfig({ path: file }),
        zoneminder: readZmConf(zmConf),
        webUser: null,
        holder: null,
        url: null,
        login: null,
        clock: systemClock,
        ...change,
      });
      try {
        const [outcome] = await runChecks([check], subject);
        return outcome?.findings ?? [];
      } finally {
        await close();
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The findings as "level: text". */
export function said(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ level, text }) => `${level}: ${text}`);
}
