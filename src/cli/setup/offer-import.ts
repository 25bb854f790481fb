// Where an original is installed, its settings are taken over instead of beginning anew.
import type { CommandIo } from "../command.ts";
import { type Import, importOriginal } from "../import/import-original.ts";
import { findPlaces } from "../import/places.ts";
import { TARGET } from "../import/plan.ts";
import { importReport } from "../import/report.ts";
import type { OwnedFiles } from "./owned-files.ts";
import type { Questions } from "./questions.ts";

export interface ImportOffer {
  /** The original's configuration files, best first; at least one. */
  readonly files: readonly string[];
  /** What the import would write. */
  readonly target: string;
  readonly root: string;
  readonly ownedFiles: OwnedFiles;
  /** Whether the built-in detector takes the place of the original's scripts. */
  readonly detection: boolean;
  readonly questions: Questions;
  readonly io: CommandIo;
}

/**
 * imported: `target` is written. as-it-is: the server goes on with the original's file, and nothing is to be written.
 * anew: the person wants to begin anew.
 */
export type ImportAnswer = "imported" | "as-it-is" | "anew";

/** Shows what would become of each line, then asks. Either way the original's files stay as they are. */
export async function offerImport(offer: ImportOffer): Promise<ImportAnswer> {
  const { files, target, questions, io } = offer;
  const [file] = files;
  io.stdout.write(`The original zmeventnotification is configured here: ${files.join(", ")}.\n`);
  const found = await importable(offer);
  if (found !== null) io.stdout.write(`\n${importReport(found.plan)}\n`);
  const take = { label: `Write these settings into ${target} (\`zmes import\`)`, value: "imported" } as const;
  const stay = { label: `Go on with ${file} as it is`, value: "as-it-is" } as const;
  const anew = { label: `Begin anew with ${target}; ${file} is then no longer read`, value: "anew" } as const;
  const choices = [...(found === null ? [] : [take]), stay, anew];
  const answer = await questions.choose<ImportAnswer>("What shall zmes use?", choices);
  if (answer !== "imported" || found === null) return answer;
  const applied = await found.apply();
  if (applied.ok) {
    io.stdout.write(`Written: ${applied.written.join(", ")}\n`);
    return "imported";
  }
  io.stderr.write(`zmes setup: ${applied.problem}\nThe server reads ${file} as it is meanwhile.\n`);
  return "as-it-is";
}

/** Null where the configuration is to lie elsewhere, or could not be used: the original's file is better then. */
async function importable({
  files,
  target,
  root,
  ownedFiles,
  detection,
}: ImportOffer): Promise<Import | null> {
  if (target !== findPlaces(root, []).inRoot(TARGET) || files.length === 0) return null;
  const found = await importOriginal({ root, from: [], force: false, detection, files: ownedFiles });
  return found === null || found.plan.unreadable !== null || found.plan.problems.length > 0 ? null : found;
}
