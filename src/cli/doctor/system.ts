// Whether this machine can run the program at all.
import { accessSync, constants } from "node:fs";
import { type Check, type Finding, ok, problem, warning } from "./check.ts";

export const system: Check = {
  name: "system",
  title: "System",
  async run({ user, webUser }) {
    const { platform, arch, versions } = process;
    return [
      ...machine(platform, arch, glibcVersion()),
      ok(`Node.js ${versions.node}, on ${platform} ${arch}`),
      ...(webUser === "root"
        ? [
            warning(
              "The server runs as root (ZM_WEB_USER of zm.conf), and so does every hook",
              "Name the web server's user there, usually www-data; ZoneMinder itself should not run as root either.",
            ),
          ]
        : []),
      user === webUser
        ? ok(`The checks run as ${user}, like the server`)
        : warning(
            `The checks run as ${user}, but the server runs as ${webUser}: files may look different to it`,
            "Run it as root, which becomes that user: sudo zmes doctor",
          ),
    ];
  },
};

/** What Node 24 needs. Musl (Alpine) has no glibc at all. */
const LEAST_GLIBC = [2, 28] as const;

/** Problems only. `glibc` such as "2.36"; null where there is none. */
export function machine(platform: string, arch: string, glibc: string | null): readonly Finding[] {
  const way = "Use the container, which brings what is missing along: docs/setup.md.";
  if (platform !== "linux" || !["x64", "arm64"].includes(arch))
    return [problem(`zmes is made for 64-bit Linux, and this is ${platform} ${arch}`, way)];
  if (glibc === null) return [problem("This system has no glibc (Alpine?)", way)];
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  const [leastMajor, leastMinor] = LEAST_GLIBC;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return [];
  return [problem(`glibc is ${glibc}; at least ${LEAST_GLIBC.join(".")} is needed`, way)];
}

function glibcVersion(): string | null {
  const { report } = process;
  if (report === undefined) return null;
  // Else it asks the DNS for the names of all peers. Part of Node since 20.13; its type declarations leave it out.
  Object.assign(report, { excludeNetwork: true });
  const found: unknown = report.getReport();
  const header = typeof found === "object" && found !== null && "header" in found ? found.header : null;
  if (typeof header !== "object" || header === null || !("glibcVersionRuntime" in header)) return null;
  return String(header.glibcVersionRuntime);
}

/** Whether this user may do that with the file. */
export function mayAccess(file: string, mode: "read" | "write" | "execute"): boolean {
  try {
    accessSync(file, MODES[mode]);
    return true;
  } catch {
    return false;
  }
}

const MODES = { read: constants.R_OK, write: constants.W_OK, execute: constants.X_OK } as const;
