// The configuration, by the same rules as --check-config, and the file of rules it names.
import { loadRules } from "../../config/rules-file.ts";
import { shellWord } from "../../lib/command-line.ts";
import { type Check, type Finding, ok, problem, warning } from "./check.ts";
import { mayAccess } from "./system.ts";

export const configuration: Check = {
  name: "configuration",
  title: "Configuration",
  async run({ loaded, user, webUser }) {
    const { source, warnings, problems, config } = loaded;
    const file = shellWord(source.path);
    const correct = `Correct ${source.path}; \`zmes check-config\` shows what is read from it.`;
    const unread = source.absent
      ? "Let it be written: sudo zmes setup"
      : `Let the server read it: sudo chgrp ${webUser} ${file} && sudo chmod g+r ${file}`;
    return [
      ...(source.read
        ? [ok(`${source.path} was read`)]
        : [
            problem(
              source.absent ? `There is no configuration (${source.path})` : `${source.path} cannot be read`,
              unread,
            ),
          ]),
      ...(source.read ? problems.map((text) => problem(bare(text), correct)) : []),
      ...(source.read
        ? warnings.filter((text) => !PUSH_KEY.test(text)).map((text) => warning(bare(text), null))
        : []),
      // The original's installer gives its file to the web server: root should not have to trust what stands in it.
      ...(source.read && user === webUser && user !== "root" && mayAccess(source.path, "write")
        ? [
            warning(
              `${user} may change ${source.path}, which names programs and files`,
              `Keep it for root: sudo chown root ${file} && sudo chmod go-w ${file}`,
            ),
          ]
        : []),
      ...rulesOf(config.customize.es_rules),
    ];
  },
};

/** Said by the check of push. */
const PUSH_KEY = / fcm\.\w+: push to phones is on/;

function rulesOf(path: string | null): readonly Finding[] {
  if (path === null) return [];
  const { problems, warnings } = loadRules(path);
  const fix = `Correct ${path}; \`zmes rules test\` shows what it does.`;
  const found = [...problems, ...warnings].map((text) => warning(bare(text), fix));
  return found.length > 0 ? found : [ok(`The rules in ${path} were read`)];
}

function bare(text: string): string {
  return text.replace(/\.$/, "");
}
