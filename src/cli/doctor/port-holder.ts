// Who listens on a TCP port of this machine, from /proc.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

export interface PortHolder {
  readonly pid: number;
  /** Its command line, cut short; passwords in it are left out. */
  readonly command: string;
  /** Whether it is a zmes. */
  readonly isOurs: boolean;
}

/** The process that listens on the port, or null: none does, or it is not ours to see. Never throws. */
export function findPortHolder(port: number, proc = "/proc"): PortHolder | null {
  const sockets = listeningSockets(port, proc);
  if (sockets.size === 0) return null;
  for (const name of entries(proc)) {
    if (!/^[0-9]+$/.test(name)) continue;
    const folder = path.join(proc, name);
    if (entries(path.join(folder, "fd")).some((fd) => sockets.has(link(path.join(folder, "fd", fd)))))
      return describe(Number(name), folder);
  }
  return null;
}

/** proc(5): state 0A is LISTEN. */
const LISTEN = "0A";
const MAX_COMMAND = 80;

function listeningSockets(port: number, proc: string): ReadonlySet<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = ["tcp", "tcp6"].flatMap((name) => read(path.join(proc, "net", name)).split("\n"));
  return new Set(
    lines.flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === LISTEN && local.endsWith(`:${hex}`) ? [`socket:[${inode}]`] : [];
    }),
  );
}

function describe(pid: number, folder: string): PortHolder {
  const words = read(path.join(folder, "cmdline")).split("\0").filter(Boolean);
  // Our process title replaces the command line; under zmdc.pl it is the original's name, and the program is Node.
  const title = words.join(" ").trim();
  const isNode = path.basename(link(path.join(folder, "exe"))).startsWith("node");
  const isOurs = isNode && /^(zmes|zmeventnotification\.pl)$|src\/main\.[tj]s|bin\/zmes/.test(title);
  // An interpreter's script says more than the interpreter; anything else may be a password.
  const script = words[1]?.startsWith("/") ? words[1] : undefined;
  const name =
    [words[0], script].filter(Boolean).join(" ") || read(path.join(folder, "comm")).trim() || "unknown";
  return { pid, command: name.slice(0, MAX_COMMAND), isOurs };
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
