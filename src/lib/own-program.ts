// Where the programs of our own threads and processes lie.
import path from "node:path";

/**
 * A program of ours, without its extension, as seen from the file that starts it (`import.meta.url`): .ts where the sources run as
 * they are, .js where they are built.
 */
export function ownProgram(program: string, from: string): URL {
  return new URL(program + path.extname(from), from);
}
