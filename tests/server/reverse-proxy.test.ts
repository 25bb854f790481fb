// Behind a real nginx, set up as docs/operations.md says: clients log in, and are counted by their own address.
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nginx, nginxMayBeSkipped, startNginx } from "../support/nginx.ts";
import { loginMessage, startServer, type TestServer } from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
const snippet = /^```nginx\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";

describe.skipIf(nginxMayBeSkipped())("behind nginx", () => {
  let server: TestServer;
  let nginx: Nginx;
  beforeAll(async () => {
    server = await startServer({ network: { trusted_proxies: ["127.0.0.1"] } });
    nginx = await startNginx(snippet.replace("127.0.0.1:9000", `127.0.0.1:${server.port}`));
  });
  afterAll(async () => {
    await nginx.stop();
    await server.stop();
  });

  it("a client logs in through the path that the page names", async () => {
    const client = await connectClient(`wss://127.0.0.1:${nginx.port}/zmes/`);
    client.send(loginMessage("admin", "secret"));
    expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
    client.close();
  });

  it("the client's own address is known, and not one that it makes up", async () => {
    const client = await connectClient(`wss://127.0.0.1:${nginx.port}/zmes/`, {
      localAddress: "127.0.0.5",
      headers: { "X-Forwarded-For": "6.6.6.6" },
    });
    client.send(loginMessage("admin", "secret"));
    await client.next();
    const log = server.messages().join("\n");
    expect(log).toContain("got a websocket connection from 127.0.0.5");
    expect(log).not.toContain("6.6.6.6");
    client.close();
  });

  it("the health check answers", async () => {
    const options = { host: "127.0.0.1", port: nginx.port, path: "/zmes/healthz", rejectUnauthorized: false };
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      get(options, async (response) => {
        let text = "";
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode, text });
      }).once("error", reject);
    });
    expect(answer).toEqual({ status: 200, text: "ok" });
  });
});
