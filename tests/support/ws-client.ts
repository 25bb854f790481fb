// A WebSocket client for tests: collects the frames it gets and waits for the next one or for the close.
import type { ClientRequestArgs } from "node:http";
import { WebSocket } from "ws";

export interface TestClient {
  readonly ws: WebSocket;
  /** Every text frame so far, oldest first, as text. */
  readonly frames: readonly string[];
  send(message: unknown): void;
  sendText(text: string): void;
  /** The next frame nobody has taken yet, parsed. */
  next(): Promise<Record<string, unknown>>;
  /** The same, as the text it came as. */
  nextText(): Promise<string>;
  /** Frames that came and were not taken with `next`. */
  untaken(): readonly string[];
  closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
}

/** Connects; resolves once the handshake is done. Certificates are not checked unless `options` says so. */
export async function connectClient(
  url: string,
  options: WebSocket.ClientOptions & ClientRequestArgs = {},
): Promise<TestClient> {
  const ws = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false, ...options });
  const frames: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  let taken = 0;
  ws.on("message", (data) => {
    frames.push(data.toString());
    const waiter = waiting.shift();
    if (waiter !== undefined) waiter(frames[taken++] ?? "");
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    ws.once("open", resolve);
    ws.once("error", reject);
  });
  ws.on("error", () => undefined);
  const nextText = (): Promise<string> =>
    taken < frames.length
      ? Promise.resolve(frames[taken++] ?? "")
      : new Promise((resolve) => waiting.push(resolve));
  return {
    ws,
    frames,
    send: (message) => ws.send(JSON.stringify(message)),
    sendText: (text) => ws.send(text),
    next: () => nextText().then(parsed),
    nextText,
    untaken: () => frames.slice(taken),
    closed,
    close: () => ws.close(),
  };
}

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
