// Files of root for the detector, which is another user: what that user cannot read is copied, what it draws is taken over.
import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { shellWord } from "../../lib/command-line.ts";
import { reasonOf, systemCode } from "../../lib/errors.ts";

interface Files {
  readonly file: string | null;
  readonly drawTo: string | null;
}

export interface HandedFiles extends Files {
  /** The picture goes where root wants it; what was copied is removed. */
  finish(): void;
}

/**
 * Opens the files, calls `giveUpRights`, and says which paths the detector can use. Throws when a file cannot be opened.
 * @param sharedFolder where both this command and the server may write; another one is used when it cannot be
 */
export async function handOver(
  { file, drawTo }: Files,
  sharedFolder: string,
  giveUpRights: () => void,
): Promise<HandedFiles> {
  const input = file === null ? null : opened(file, constants.O_RDONLY, "read");
  if (drawTo !== null) checkTarget(drawTo);
  const isRoot = process.getuid?.() === 0;
  const output =
    drawTo === null || !isRoot ? null : opened(drawTo, constants.O_WRONLY | constants.O_CREAT, "written");
  giveUpRights();
  const mustCopy = file !== null && isRoot && !isAllowed(file, constants.R_OK);
  const folder = mustCopy || output !== null ? ownFolder(sharedFolder) : null;
  const copy = mustCopy && folder !== null ? path.join(folder, path.basename(file)) : null;
  if (copy !== null && input !== null)
    await pipeline(createReadStream("", { fd: input, autoClose: false }), createWriteStream(copy));
  if (input !== null) closeSync(input);
  const drawn = output === null || folder === null ? drawTo : path.join(folder, "drawn.jpg");
  return {
    file: copy ?? file,
    drawTo: drawn,
    finish() {
      if (output !== null && drawn !== null) takeOver(drawn, output);
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Before a model is loaded for nothing; the detector would tell of a temporary file that nobody named. */
function checkTarget(file: string): void {
  const folder = path.dirname(file);
  const why = faultOf(file, folder);
  if (why !== null) throw new Error(`--draw: ${file} cannot be written: ${why}`);
}

function faultOf(file: string, folder: string): string | null {
  const is = statSync(folder, { throwIfNoEntry: false });
  if (is === undefined)
    return `the folder ${folder} does not exist; make it with mkdir -p ${shellWord(folder)}`;
  if (!is.isDirectory()) return `${folder} is not a folder`;
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    return `it is a folder; name a file in it, such as ${path.join(file, "drawn.jpg")}`;
  return isAllowed(folder, constants.W_OK | constants.X_OK)
    ? null
    : `this user may not write into ${folder}; name a file elsewhere, or run it with sudo`;
}

function opened(file: string, flags: number, doing: string): number {
  try {
    return openSync(file, flags);
  } catch (failure) {
    const why = systemCode(failure) === "ENOENT" ? "it does not exist" : reasonOf(failure);
    throw new Error(`${file} cannot be ${doing}: ${why}`, { cause: failure });
  }
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

function ownFolder(sharedFolder: string): string {
  try {
    return mkdtempSync(path.join(sharedFolder, "detect-"));
  } catch {
    return mkdtempSync(path.join(tmpdir(), "zmes-detect-"));
  }
}

function takeOver(drawn: string, output: number): void {
  try {
    const bytes = readFileSync(drawn);
    ftruncateSync(output);
    writeSync(output, bytes);
  } catch {
    // Nothing was drawn; the answer says why.
  } finally {
    closeSync(output);
  }
}
