// Reads a file of somebody who must not be able to keep the reader waiting: a pipe or a device is refused at once.
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** The text of a plain file of at most 1 MiB. Throws the system's error, or a sentence without its full stop. */
export function readPlainFile(file: string): string {
  // Else opening a pipe would wait for its other end.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${file} is not a plain file`);
    if (stat.size > MOST_BYTES) throw new Error(`${file} is larger than ${MOST_BYTES} bytes`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Chains of certificates and what remote control changed have a few kilobytes. */
const MOST_BYTES = 1024 * 1024;
