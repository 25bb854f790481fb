// The floor: a server that is nothing but the `ws` library, sending a text to everybody who is connected.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { answerCalls, collectedRss } from "./child.ts";
import { instant } from "./instant.ts";
import { createLoopGap } from "./loop-gap.ts";

export interface BareOptions {
  readonly ssl: { readonly enable: boolean; readonly cert?: string; readonly key?: string };
}

export interface BareCalls {
  port(): number;
  clients(): number;
  /** Sends every text to every client, one after the other, and says when it began. */
  send(texts: readonly string[]): number;
  collectedRss(): Promise<number>;
  rss(): number;
  startLoopGap(): void;
  stopLoopGap(): number;
}

/** As many as the daemon lets wait: a whole fleet connects at once. */
const BACKLOG = 4096;

await answerCalls(async ({ ssl }: BareOptions): Promise<BareCalls> => {
  const http =
    ssl.enable && ssl.cert !== undefined && ssl.key !== undefined
      ? createSecureServer({
          cert: readFileSync(ssl.cert),
          key: readFileSync(ssl.key),
          minVersion: "TLSv1.2",
        })
      : createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on("connection", (client) => client.on("error", () => undefined));
  const loopGap = createLoopGap();
  await new Promise<void>((resolve) =>
    http.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, resolve),
  );
  return {
    port: () => (http.address() as AddressInfo).port,
    clients: () => server.clients.size,
    send(texts) {
      const began = instant();
      for (const text of texts) for (const client of server.clients) client.send(text);
      return began;
    },
    collectedRss,
    rss: () => process.memoryUsage.rss(),
    startLoopGap: loopGap.start,
    stopLoopGap: loopGap.stop,
  };
});
