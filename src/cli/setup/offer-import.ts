// Where an original is installed, its settings are taken over instead of beginning anew.
import type { CommandIo } from "../command.ts";
import type { Questions } from "./questions.ts";

export interface ImportOffer {
  /** The original's configuration files, best first; at least one. */
  readonly files: readonly string[];
  /** What the import would write. */
  readonly target: string;
  readonly questions: Questions;
  readonly io: CommandIo;
}

/**
 * imported: `target` is written. as-it-is: the server goes on with the original's file, and nothing is to be written.
 * anew: the person wants to begin anew.
 */
export type ImportAnswer = "imported" | "as-it-is" | "anew";

/** zmes reads the original's file where it lies, so leaving it is the careful answer. */
export async function offerImport({ files, target, questions, io }: ImportOffer): Promise<ImportAnswer> {
  const [file] = files;
  io.stdout.write(
    `The original zmeventnotification is configured here: ${files.join(", ")}.\n` +
      "zmes reads that file as it is, and changes nothing in it.\n",
  );
  const stay = { label: `Go on with ${file} as it is`, value: "as-it-is" } as const;
  const anew = { label: `Begin anew with ${target}; ${file} is then no longer read`, value: "anew" } as const;
  return await questions.choose<ImportAnswer>("What shall zmes use?", [stay, anew]);
}
