import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ControlPanel } from "../../src/server/control-panel.ts";
import { aMonitor, anAlarm, briefed, eid, mid } from "../support/builders.ts";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger, startServer, type TestServer } from "../support/server.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

/** What one client program sends, in its order and bytes, and what it has to get back. */
interface Transcript {
  readonly client: string;
  readonly auth?: false;
  readonly tls?: true;
  /** The control interface is switched on, with the password "open sesame". */
  readonly control?: true;
  readonly origin?: string;
  readonly offersCompression: boolean;
  /** How it goes: with a close frame, without, or because the server closes. */
  readonly leaves: "close" | "terminate" | "server";
  readonly steps: readonly Step[];
}

type Step =
  | { readonly send: string }
  | { readonly receive: Record<string, unknown> }
  | { readonly alarm: { monitor: number; name: string; event: number; cause: string } };

const folder = join(import.meta.dirname, "../fixtures/transcripts");
const transcripts = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Transcript,
);

let certificate: TestCertificate;
let server: TestServer;
beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());
afterEach(() => server.stop());

test.each(transcripts.map((one) => [one.client, one] as const))(
  "plays with %s",
  async (_name, transcript) => {
    const { cert, key } = certificate;
    server = await startServer({
      auth: { enable: transcript.auth ?? true },
      ...(transcript.control && { general: CONTROL, panel: AGREEABLE }),
      ssl: transcript.tls === true ? { enable: true, cert, key } : { enable: false },
    });
    const { sessions } = server.server;
    const channel = createWebSocketChannel({ sessions, clock: systemClock, logger: recordingLogger([]) });
    const client = await connectClient(server.url, {
      perMessageDeflate: transcript.offersCompression,
      ...(transcript.origin === undefined ? {} : { origin: transcript.origin }),
    });
    for (const step of transcript.steps) {
      if ("send" in step) client.sendText(step.send);
      else if ("receive" in step) expect(await client.next()).toEqual(step.receive);
      else {
        const { monitor, name, event, cause } = step.alarm;
        await settled(client);
        channel.tell(
          briefed([anAlarm({ monitor: aMonitor({ id: mid(monitor), name }), eventId: eid(event), cause })]),
        );
      }
    }
    if (transcript.leaves === "close") client.close();
    else if (transcript.leaves === "terminate") client.ws.terminate();
    await client.closed;
    expect(client.untaken()).toEqual([]);
    await eventually(() => expect(sessions.counts()).toEqual({ total: 0, loggedIn: 0 }));
  },
);

const CONTROL = { use_escontrol_interface: true, escontrol_interface_password: "open sesame" };

/** Does nothing, and says yes to everything. */
const AGREEABLE: ControlPanel = {
  read: () => '{"notifications":{"1":0}}',
  order: async () => undefined,
  edit: async () => ({ done: true }),
  reset: async () => undefined,
  restart: () => undefined,
};

/** The pong comes when everything sent before the ping has been looked at. */
function settled(client: TestClient): Promise<void> {
  return new Promise((resolve) => {
    client.ws.once("pong", () => resolve());
    client.ws.ping();
  });
}
