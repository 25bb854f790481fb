// One HTTP exchange, whatever version carries it.
import type { Readable } from "node:stream";

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpReply {
  readonly status: number;
  /** The header Retry-After as it came. */
  readonly retryAfter: string | null;
  readonly body: string;
}

/** Reads an answer to its end, and keeps the beginning. */
export function collectReply(stream: Readable, onEnd: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < MAX_REPLY_BYTES) chunks.push(chunk.subarray(0, MAX_REPLY_BYTES - size));
    size += chunk.length;
  });
  stream.on("end", () => onEnd(Buffer.concat(chunks).toString("utf8")));
}

/** Answers are a few hundred bytes; the rest of a longer one is not kept. */
const MAX_REPLY_BYTES = 65_536;
