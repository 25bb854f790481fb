// A server on loopback, with TLS or without, that remembers what it was asked and answers as a test says.
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestCertificate } from "../../support/certificates.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** Of a form: its fields, files as bytes. */
  form(): Promise<Record<string, (string | Buffer)[]>>;
}

/** A value is sent as JSON; a function gets the bare response. */
export type Answer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown }
  | ((response: ServerResponse) => void);

export interface StandInServer {
  readonly url: string;
  readonly asked: Asked[];
  answer: (asked: Asked) => Answer;
  close(): Promise<void>;
}

export async function startServer(
  certificate: TestCertificate | null,
  answer: (asked: Asked) => Answer,
): Promise<StandInServer> {
  const asked: Asked[] = [];
  const stand: { answer: (asked: Asked) => Answer } = { answer };
  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const entry = await readRequest(request);
    asked.push(entry);
    const reply = stand.answer(entry);
    if (typeof reply === "function") return reply(response);
    response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers });
    response.end(JSON.stringify(reply.json ?? null));
  };
  const server =
    certificate === null
      ? createHttpServer((request, response) => void onRequest(request, response))
      : createHttpsServer(
          { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
          (request, response) => void onRequest(request, response),
        );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(stand, {
    url: `${certificate === null ? "http" : "https"}://localhost:${port}`,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    body,
    form: () => readForm(type, body),
  };
}

async function readForm(type: string, body: Buffer): Promise<Record<string, (string | Buffer)[]>> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const fields: Record<string, (string | Buffer)[]> = {};
  for (const [name, value] of form) {
    const plain = typeof value === "string" ? value : Buffer.from(await value.arrayBuffer());
    fields[name] = [...(fields[name] ?? []), plain];
  }
  return fields;
}
