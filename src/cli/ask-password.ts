// Asks for a password on a terminal without showing it.
import type { CommandIo, TerminalInput } from "./command.ts";

/** Null when there is no terminal to ask on, or when the person answered with Ctrl-C or Ctrl-D. */
export async function askPassword(question: string, io: CommandIo): Promise<string | null> {
  const { stdin } = io;
  if (!stdin.isTTY || !stdin.setRawMode) return null;
  io.stderr.write(question);
  // Raw mode: the terminal shows nothing and hands over each key, Ctrl-C included.
  stdin.setRawMode(true);
  try {
    return await readSecretLine(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.removeAllListeners("data");
    stdin.removeAllListeners("end");
    stdin.pause();
    io.stderr.write("\n");
  }
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const BACKSPACES = ["\u007f", "\b"];

function readSecretLine(stdin: TerminalInput): Promise<string | null> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder();
    let typed: string[] = [];
    stdin.on("end", () => resolve(null));
    stdin.on("data", (chunk) => {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      for (const key of text) {
        if (key === "\r" || key === "\n") return resolve(typed.join(""));
        if (key === CTRL_C || key === CTRL_D) return resolve(null);
        if (key === CTRL_U) typed = [];
        else if (BACKSPACES.includes(key)) typed.pop();
        else typed.push(key);
      }
    });
    stdin.resume();
  });
}
