// Writes numbers and texts at offsets of a file, as C writes into a mapped one.
import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";

export class ShmWriter {
  #fd: number | null = null;

  get isOpen(): boolean {
    return this.#fd !== null;
  }

  /** Makes the file, private as ZoneMinder's were up to 1.34.22, or opens the one that is there. */
  open(path: string): void {
    this.close();
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  truncate(length: number): void {
    ftruncateSync(this.#opened(), length);
  }

  bytes(offset: number, bytes: Uint8Array): void {
    writeSync(this.#opened(), bytes, 0, bytes.length, offset);
  }

  u8(offset: number, value: number): void {
    this.bytes(offset, Uint8Array.of(value));
  }

  u32(offset: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.bytes(offset, bytes);
  }

  u64(offset: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.bytes(offset, bytes);
  }

  /** A NUL-terminated C string in a field of that many bytes, the rest zeroed; too long a text is cut. */
  text(offset: number, text: string, length: number): void {
    const bytes = Buffer.alloc(length);
    bytes.write(text, 0, length - 1, "utf8");
    this.bytes(offset, bytes);
  }

  #opened(): number {
    if (this.#fd === null) throw new Error("There is no file yet; create() comes first.");
    return this.#fd;
  }
}
