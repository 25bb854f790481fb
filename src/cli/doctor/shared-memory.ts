// The shared memory of every monitor that should be running: there, readable, of a known layout.
import { existsSync } from "node:fs";
import path from "node:path";
import pino from "pino";
import type { Monitor } from "../../domain/monitor.ts";
import { loadMonitors } from "../../zoneminder/monitors.ts";
import { ShmFile } from "../../zoneminder/shm-file.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import type { DatabaseFacts, Subject } from "./subject.ts";
import { mayAccess } from "./system.ts";

export const sharedMemory: Check = {
  name: "shared-memory",
  title: "Shared memory",
  async run(subject) {
    if (!subject.zoneminder.ok) return [skipped("Where it is, only zm.conf says")];
    const folder =
      subject.config.zoneminder.map_path ?? (subject.zoneminder.conf.values.get("ZM_PATH_MAP") || "/dev/shm");
    if (!existsSync(folder))
      return [
        problem(
          `The folder ${folder} does not exist`,
          "Start ZoneMinder, set zoneminder.map_path, or mount that folder into the container.",
        ),
      ];
    if (!mayAccess(folder, "execute"))
      return [
        problem(
          `${subject.user} may not enter ${folder}`,
          "Run zmes as ZoneMinder's own user (ZM_WEB_USER of zm.conf).",
        ),
      ];
    const facts = await subject.database();
    if (facts.kind !== "up") return [skipped("Which monitors should run, only the database says")];
    const monitors = await running(subject, facts);
    if (monitors.length === 0)
      return [
        warning("No monitor is switched on, so there is nothing to watch", "Add a monitor in ZoneMinder."),
      ];
    const findings = monitors.map((monitor) => look(monitor, folder, facts, subject));
    const good = findings.filter(({ level }) => level === "ok").length;
    const count = ok(`${good} of ${monitors.length} monitors can be watched in ${folder}`);
    return [...(good > 0 ? [count] : []), ...findings.filter(({ level }) => level !== "ok")];
  },
};

async function running(
  { config }: Subject,
  facts: DatabaseFacts & { kind: "up" },
): Promise<readonly Monitor[]> {
  const { queries, schema } = facts;
  const logger = pino({ level: "silent" });
  return await loadMonitors({ database: queries, schema, skip: config.general.skip_monitors, logger });
}

function look(
  { id, name }: Monitor,
  folder: string,
  { schema }: DatabaseFacts & { kind: "up" },
  { user, webUser }: Subject,
): Finding {
  const file = new ShmFile(path.join(folder, `zm.mmap.${id}`), schema.version);
  const which = `Monitor ${id} (${name})`;
  try {
    file.checkInode();
    if (file.openError !== null)
      return problem(
        `${which}: ${user} may not read ${file.path} (${file.openError})`,
        "Run zmes as ZoneMinder's own user (ZM_WEB_USER of zm.conf).",
      );
    switch (file.look(0, true)) {
      case "same":
      case "changed":
        return ok(`${which}: layout of ${file.layout?.releases ?? "a known release"}`);
      case "unknown-layout":
        return problem(
          `${which}: the layout of its shared memory is not known (${file.seenSizes?.shared ?? "?"} bytes)`,
          "This release of ZoneMinder is not supported yet; report the size together with its version.",
        );
      case "gone":
      case "torn":
        return warning(
          `${which}: its camera process does not run`,
          `See whether it runs, and in ZoneMinder's log why not: sudo -u ${webUser} zmdc.pl status`,
        );
    }
  } finally {
    file.close();
  }
}
