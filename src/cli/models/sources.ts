// The files of a model as somebody named them: opened, or fetched, and put where models are collected.
import { lookup } from "node:dns/promises";
import { closeSync, constants, createReadStream, createWriteStream, fstatSync, openSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { download, forgetPart, shownUrl } from "../../detect/models/download.ts";
import { reasonOf } from "../../lib/errors.ts";
import { isPrivateAddress } from "../../server/private-address.ts";
import type { CommandIo } from "../command.ts";
import { createProgress } from "./progress.ts";

export interface ModelSource {
  /** Last part of the path or address. */
  readonly name: string;
  /** Whole, without what may be secret. */
  readonly shown: string;
  /** Puts a copy there. Rejects in words. */
  fetchTo(file: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Opens files at once, as the user who typed them; addresses are asked later. `isKnown`: a checksum was given, so that
 * it does not matter who is between here and the server. Throws in words.
 */
export function openSource(word: string, isKnown: boolean, io: CommandIo): ModelSource {
  return /^https?:\/\//i.test(word) ? fromUrl(word, isKnown, io) : fromFile(word);
}

/** An ONNX file cannot be larger (protobuf), and the largest detectors have 300 MB. */
const MAX_BYTES = 2_000_000_000;

function fromUrl(word: string, isKnown: boolean, io: CommandIo): ModelSource {
  if (!URL.canParse(word)) throw new Error("the address is not a valid one");
  const url = new URL(word);
  const name = path.posix.basename(url.pathname);
  return {
    name,
    shown: shownUrl(url),
    async fetchTo(file, signal) {
      const progress = createProgress(name, io);
      const checkUrl = (asked: URL) => checkAddress(asked, isKnown);
      try {
        await download(url, { to: file, maxBytes: MAX_BYTES, signal, checkUrl, onProgress: progress.show });
      } finally {
        progress.end();
      }
    },
    close: () => {},
  };
}

/** Whoever is between here and the server could put another model in its place, unless it is encrypted or its checksum known. */
async function checkAddress(url: URL, isKnown: boolean): Promise<void> {
  if (url.username !== "" || url.password !== "") {
    throw new Error(
      "user and password in an address are not supported; fetch it with curl, then add the file",
    );
  }
  if (url.protocol === "https:" || (url.protocol === "http:" && isKnown)) return;
  if (url.protocol !== "http:") throw new Error(`it leads to ${url.protocol}, which is not supported`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isPrivateAddress(host) ? [] : await lookup(host, { all: true });
  if (addresses.every(({ address }) => isPrivateAddress(address))) return;
  throw new Error(
    "over http, somebody on the way could exchange it: use https, or say its checksum with --sha256",
  );
}

function fromFile(word: string): ModelSource {
  let descriptor: number;
  try {
    // Without waiting: a pipe that nobody writes to would never open.
    descriptor = openSync(word, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (failure) {
    throw new Error(`${word} cannot be read: ${reasonOf(failure)}`, { cause: failure });
  }
  const { size } = fstatSync(descriptor);
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new Error(`${word} is not a file`);
  }
  let isTaken = false;
  return {
    name: path.basename(word),
    shown: path.resolve(word),
    async fetchTo(file, signal) {
      if (size > MAX_BYTES) throw new Error(`${word} is larger than any model (${size} bytes)`);
      await forgetPart(file);
      // From here on it is the stream that closes it, however it ends.
      isTaken = true;
      const from = createReadStream("", { fd: descriptor, start: 0 });
      try {
        await pipeline(from, createWriteStream(file, { mode: 0o640 }), { signal });
      } catch (failure) {
        await forgetPart(file);
        throw signal.aborted ? new Error("it was interrupted", { cause: failure }) : failure;
      }
    },
    close() {
      if (!isTaken) closeSync(descriptor);
    },
  };
}
