// Fetches one large file over HTTP, and goes on where it was interrupted: within one call, or in the next.
import { open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { reasonOf } from "../../lib/errors.ts";

export interface DownloadOptions {
  /** Where the bytes are collected; what is there of the same file is kept. */
  readonly to: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Throws when the address may not be asked; every redirection is checked as well. */
  checkUrl(url: URL): Promise<void>;
  /** `total` is null when the server does not say. `resumed`: what was there before this call. */
  onProgress(progress: {
    readonly done: number;
    readonly total: number | null;
    readonly resumed: number;
  }): void;
  /** Between two attempts, in ms; for tests. */
  readonly retryMs?: number;
}

/** Rejects with an Error that says whether the next call goes on where this one ended. Addresses are told without secrets. */
export async function download(url: URL, options: DownloadOptions): Promise<void> {
  const resumed = (await partOf(url, options.to))?.done ?? 0;
  let failures = 0;
  let most = resumed;
  for (;;) {
    try {
      await attempt(url, resumed, options);
      await rm(noteOf(options.to), { force: true });
      return;
    } catch (failure) {
      if (options.signal.aborted || failure instanceof Refusal) throw await explained(failure, url, options);
      const done = (await partOf(url, options.to))?.done ?? 0;
      // A line that breaks now and then is tried for as long as something arrives.
      failures = done > most ? 1 : failures + 1;
      most = Math.max(most, done);
      if (failures >= ATTEMPTS) throw await explained(failure, url, options);
      await delay(options.retryMs ?? RETRY_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}

/** Removes what there is of a download, so that nothing goes on from it. */
export async function forgetPart(file: string): Promise<void> {
  await rm(noteOf(file), { force: true });
  await rm(file, { force: true });
}

/** The address without what may be secret in it: user, password and parameters. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Attempts in a row that bring nothing. */
const ATTEMPTS = 4;
const RETRY_MS = 2000;
/** A server that says nothing for so long is gone. */
const STALL_MS = 30_000;
/** Download pages redirect two or three times. */
const REDIRECTIONS = 10;

/** An answer that another attempt would not change. */
class Refusal extends Error {}

/** What is known of a part that is there, so that the rest of another file is never put behind it. */
interface Part {
  readonly done: number;
  /** A strong ETag, or Last-Modified (RFC 9110, 13.1.5). */
  readonly validator: string;
  /** Of the whole file; null when the server did not say. */
  readonly total: number | null;
}

/** What an answer brings: the bytes from `start` on, of `total`. */
interface Answer {
  readonly response: Response;
  readonly start: number;
  readonly total: number | null;
}

async function attempt(url: URL, resumed: number, options: DownloadOptions): Promise<void> {
  const part = await partOf(url, options.to);
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), STALL_MS);
  const signal = AbortSignal.any([options.signal, stalled.signal]);
  try {
    const { response, start, total } = await ask(url, part, options, signal);
    if (total !== null && total > options.maxBytes) throw tooLarge(options.maxBytes);
    // The note of an earlier file goes before its bytes do, and the new one comes after: they never belong to two files.
    if (start === 0) await rm(noteOf(options.to), { force: true });
    let done = start;
    const file = await open(options.to, start === 0 ? "w" : "a", 0o640);
    try {
      if (start === 0) await note(url, { response, start, total }, options.to);
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => stalled.abort(), STALL_MS);
        done += chunk.length;
        if (done > options.maxBytes) {
          await rm(options.to, { force: true });
          throw tooLarge(options.maxBytes);
        }
        await file.appendFile(chunk);
        options.onProgress({ done, total, resumed: start === 0 ? 0 : resumed });
      }
    } finally {
      await file.close();
    }
    if (total !== null && done < total) throw new Error(`only ${done} of ${total} bytes came`);
  } catch (failure) {
    if (stalled.signal.aborted) throw new Error(`nothing came for ${STALL_MS / 1000} s`, { cause: failure });
    throw failure;
  } finally {
    clearTimeout(timer);
  }
}

/** The answer with the file or its rest: 200 or 206. Redirections are followed by hand because each must be allowed. */
async function ask(
  url: URL,
  part: Part | null,
  { checkUrl, to }: DownloadOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "zmes" };
  if (part !== null && part.done > 0) {
    headers.range = `bytes=${part.done}-`;
    headers["if-range"] = part.validator;
  }
  let target = url;
  for (let count = 0; count <= REDIRECTIONS; count++) {
    await checkUrl(target).catch((failure: unknown) => {
      throw new Refusal(reasonOf(failure));
    });
    const response = await fetch(target, { headers, signal, redirect: "manual" });
    const { status } = response;
    const location = response.headers.get("location");
    if (status >= 300 && status < 400 && location !== null) {
      await response.body?.cancel();
      target = new URL(location, target);
      continue;
    }
    if (status === 200) return { response, start: 0, total: lengthOf(response) };
    const total = status === 206 && part !== null ? totalOfRest(response, part) : null;
    if (total !== null && part !== null) return { response, start: part.done, total };
    await response.body?.cancel();
    if (status === 206 || status === 416) {
      // The part does not belong to what the server has now.
      await rm(to, { force: true });
      throw new Error(`the server has another file now (status ${status})`);
    }
    if (status === 429 || status >= 500) throw new Error(`the server answered with status ${status}`);
    throw new Refusal(`the server answered with status ${status}`);
  }
  throw new Refusal(`it redirects more than ${REDIRECTIONS} times`);
}

/** Of the whole file, when the answer is the rest of the very file whose part is there; else null. */
function totalOfRest({ headers }: Response, part: Part): number | null {
  const [, start, all] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (start === undefined || Number(start) !== part.done) return null;
  // Some caches take no notice of If-Range; a rest that says whose it is must be ours (RFC 9110, 15.3.7).
  const said = part.validator.startsWith('"') ? headers.get("etag") : headers.get("last-modified");
  if (said !== null && said !== part.validator) return null;
  const total = Number(all);
  return part.total === null || part.total === total ? total : null;
}

function lengthOf({ headers }: Response): number | null {
  const length = headers.get("content-length");
  // Of a compressed answer, it is not the length of the file.
  return length === null || isCompressed(headers) || !/^\d+$/.test(length) ? null : Number(length);
}

function isCompressed(headers: Headers): boolean {
  return (headers.get("content-encoding") ?? "identity") !== "identity";
}

/** Notes what the part belongs to; without a validator, it cannot be resumed. */
async function note(url: URL, { response: { headers }, total }: Answer, to: string): Promise<void> {
  const etag = headers.get("etag");
  const validator = etag?.startsWith('"') ? etag : headers.get("last-modified");
  if (validator === null || isCompressed(headers)) return;
  await writeFile(noteOf(to), JSON.stringify({ url: shownUrl(url), validator, total }), { mode: 0o640 });
}

/** What there is of this very file, or null. */
async function partOf(url: URL, to: string): Promise<Part | null> {
  try {
    const note = NOTE.parse(JSON.parse(await readFile(noteOf(to), "utf8")));
    const { size } = await stat(to);
    return note.url === shownUrl(url) ? { done: size, validator: note.validator, total: note.total } : null;
  } catch {
    return null;
  }
}

const NOTE = z.object({ url: z.string(), validator: z.string(), total: z.number().nullable().catch(null) });

function noteOf(file: string): string {
  return `${file}.json`;
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(`it is larger than ${Math.floor(maxBytes / 1_000_000)} MB, which no model of ours is`);
}

async function explained(failure: unknown, url: URL, { to, signal }: DownloadOptions): Promise<Error> {
  const part = await partOf(url, to);
  const more =
    part !== null && part.done > 0 && !(failure instanceof Refusal)
      ? ` ${part.done} bytes are kept: the same command goes on from there.`
      : "";
  const problem = signal.aborted ? "it was interrupted" : reasonOf(reachable(failure));
  return new Error(`${shownUrl(url)} could not be fetched: ${problem}.${more}`, { cause: failure });
}

/** fetch says "fetch failed"; why is in the cause. */
function reachable(failure: unknown): unknown {
  return failure instanceof TypeError && failure.cause instanceof Error ? failure.cause : failure;
}
