// The Unix socket through which commands on this machine reach the resident detector: for our own user and root alone.
import { lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { reasonOf } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { DetectionFailure } from "./detector.ts";
import type { DetectionAnswer } from "./job.ts";
import { readLines } from "./lines.ts";
import { type DetectReply, type DetectRequest, REQUEST_BYTES } from "./socket-messages.ts";
import { parseRequest } from "./socket-request.ts";

export interface SocketServerOptions {
  /** Where it is made, with mode 0600; a file that an earlier run left there is replaced. */
  readonly path: string;
  /** Never rejects. The signal is aborted when the command has gone. */
  look(request: DetectRequest, signal: AbortSignal): Promise<DetectionAnswer | DetectionFailure>;
  readonly logger: Logger;
}

/** As many commands as ZoneMinder starts when all its cameras see something at once. */
const MOST_CONNECTIONS = 200;
/** A command says what it wants at once. */
const REQUEST_MS = 5_000;
/** The kernel's sockaddr_un. */
const PATH_BYTES = 107;

/** A socket that cannot be made costs a line in the log: commands then look for themselves. */
export function createSocketServer({ path, look, logger }: SocketServerOptions): Part {
  const stopping = new AbortController();
  const sockets = new Set<Socket>();
  let server: Server | null = null;

  return {
    name: "detector socket",
    async start() {
      try {
        server = await listen();
      } catch (failure) {
        logger.warn(`Commands cannot reach the detector: ${path} cannot be made: ${reasonOf(failure)}`);
      }
    },
    async stop() {
      stopping.abort();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
      server = null;
    },
  };

  async function listen(): Promise<Server> {
    if (Buffer.byteLength(path) > PATH_BYTES)
      throw new Error(`a socket's path has at most ${PATH_BYTES} bytes`);
    removeStale(path);
    const made = createServer(serve).on("error", (failure) =>
      logger.warn({ err: failure }, "The detector's socket failed"),
    );
    made.maxConnections = MOST_CONNECTIONS;
    const ready = Promise.withResolvers<void>();
    made.once("error", ready.reject);
    // The file is made inside of listen: nobody else can open it, not even for a moment.
    const umask = process.umask(0o177);
    try {
      made.listen(path, ready.resolve);
    } finally {
      process.umask(umask);
    }
    await ready.promise;
    return made;
  }

  function serve(socket: Socket): void {
    const gone = new AbortController();
    const timer = setTimeout(() => socket.destroy(), REQUEST_MS).unref();
    let isAsked = false;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      sockets.delete(socket);
      gone.abort();
    });
    const refuse = (failed: string): void => void socket.end(lineOf({ kind: "failed", failed }));
    readLines(
      socket,
      REQUEST_BYTES,
      (line) => {
        if (isAsked) return;
        isAsked = true;
        clearTimeout(timer);
        const request = parseRequest(line);
        if (typeof request === "string") refuse(request);
        else void answer(socket, request, gone.signal);
      },
      () => refuse(`a request has at most ${REQUEST_BYTES} bytes`),
    );
  }

  async function answer(socket: Socket, request: DetectRequest, gone: AbortSignal): Promise<void> {
    socket.write(lineOf({ kind: "accepted" }));
    const found = await look(request, AbortSignal.any([gone, stopping.signal]));
    if (socket.destroyed) return;
    socket.end(lineOf("failed" in found ? { kind: "failed", ...found } : { kind: "answer", answer: found }));
  }
}

/** The data directory is locked by one program at a time: whatever lies there is of an earlier run. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error("there is a file of that name that is no socket");
  unlinkSync(path);
}

function lineOf(reply: DetectReply): string {
  return `${JSON.stringify(reply)}\n`;
}
