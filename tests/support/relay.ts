// A stand-in for the push proxy: behaves as the original's examples/send_push.py does towards its clients.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Relay {
  readonly url: string;
  readonly key: string;
  /** Every body that was accepted, oldest first. */
  readonly accepted: readonly Readonly<Record<string, unknown>>[];
  /** The Authorization header of the last request, as it came. */
  authorization: string | undefined;
  /** Connections opened to it. */
  connections: number;
  /** What Google says to the proxy about a token; null: nothing against it. */
  refuse: (token: string) => { readonly status: number; readonly body: string } | null;
  stop(): Promise<void>;
}

export async function startRelay(): Promise<Relay> {
  const accepted: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handle(request, response, Buffer.concat(chunks).toString()));
  });
  server.on("connection", () => {
    relay.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/send_push`,
    key: "eyJhbGciOiJIUzI1NiJ9.eyJjbGllbnQiOiJ6bW5nIn0.c2lnbmF0dXJl",
    accepted,
    authorization: undefined,
    connections: 0,
    refuse: () => null,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return relay;

  function handle(request: IncomingMessage, response: ServerResponse, text: string): unknown {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      return response.end(JSON.stringify(body));
    };
    relay.authorization = request.headers.authorization;
    if (request.headers.authorization?.replace(/^Bearer /, "") !== relay.key) {
      return answer(401, { Error: "Unauthorized" });
    }
    const body: Record<string, unknown> = JSON.parse(text);
    if (typeof body.token !== "string") return answer(400, { Error: "No token" });
    // What raises an exception in the proxy ends as a bare 500.
    if (typeof body.data !== "object") return answer(500, {});
    if ((body.ios !== undefined || body.android === undefined) && typeof body.badge !== "number") {
      return answer(500, {});
    }
    const refusal = relay.refuse(body.token);
    if (refusal === null) {
      accepted.push(body);
      return answer(200, { Success: `token:${body.token.slice(-10)}=>sent` });
    }
    response.writeHead(refusal.status, { "content-type": "application/json" });
    return response.end(refusal.body);
  }
}
