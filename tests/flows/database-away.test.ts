// The whole program without ZoneMinder's database: what was last known of everybody's rights outlives a kill.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashSync } from "bcrypt";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { explainAlarm } from "../../src/delivery/history.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { type ControlledProgram, startControlled } from "../support/controlled-program.ts";
import { type Mariadb, mariadbMayBeSkipped, startMariadb } from "../support/mariadb.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { connectClient } from "../support/ws-client.ts";

const WAIT = { timeout: 15_000, interval: 50 };

describe.skipIf(mariadbMayBeSkipped())("a phone whose user is known", () => {
  let server: Mariadb;
  let relay: Relay;
  beforeAll(async () => {
    server = await startMariadb();
    relay = await startRelay();
  });
  afterAll(async () => {
    await relay?.stop();
    await server?.stop();
  });

  it("is told after a kill while the database is away, by the rights that were last known", async () => {
    server.createZoneMinder("zm", "1.36");
    const user = `Password = '${hashSync("secret", 4)}', Enabled = 1, Events = 'View', Monitors = 'View'`;
    server.sql(
      `SET sql_mode = ''; DELETE FROM Users;
       INSERT INTO Monitors SET Id = 1, Name = 'Front Door', \`Function\` = 'Modect', Enabled = 1;
       INSERT INTO Users SET Username = 'anna', ${user};
       INSERT INTO Users SET Username = 'bert', ${user}, MonitorIds = '2';`,
      "zm",
    );
    const program = await startControlled({
      auth: { enable: true },
      fcm: { enable: true, fcm_v1_url: relay.url, fcm_v1_key: relay.key },
    });
    const conf = join(program.folder, "zm.conf");
    const text = readFileSync(conf, "utf8").replace(/^ZM_DB_.*\n/gm, "");
    const login = "ZM_DB_NAME=zm\nZM_DB_USER=zmuser\nZM_DB_PASS=zmpass\n";
    writeFileSync(conf, `${text}ZM_DB_HOST=localhost:${server.socket}\n${login}`);
    await startAgain(program);
    await register(program, "anna");
    await register(program, "bert");
    await vi.waitFor(() => expect(knownUsers(program)).toEqual(["anna", "bert"]), WAIT);
    await server.stopServer();
    await startAgain(program);
    program.camera.beginAlarm({ eventId: 5060, cause: "Motion" });
    await vi.waitFor(() => expect(relay.accepted).toHaveLength(1), WAIT);
    expect(relay.accepted[0]?.token).toBe(tokenOf("anna"));
    await vi.waitFor(() => expect(why(program)).toContain("not sent, its user may not see monitor 1"), WAIT);
  });

  const tokenOf = (user: string) => `cGhvbmU:APA91b-long-enough-of-${user}`;

  function why(program: ControlledProgram): string {
    const history = openHistory(join(program.folder, "data/zmes.db"), { write: false });
    const lines = history.alarmsOfEvent(5060).flatMap(explainAlarm);
    history.close();
    return lines.join("\n");
  }

  /** On the disk. */
  function knownUsers(program: ControlledProgram): readonly string[] {
    const history = openHistory(join(program.folder, "data/zmes.db"), { write: false });
    const rights = history.fact("last known rights") ?? {};
    history.close();
    return Object.keys(rights).toSorted();
  }

  async function startAgain(program: ControlledProgram): Promise<void> {
    program.signal("SIGKILL");
    await program.gone();
    await program.again();
  }

  async function register(program: ControlledProgram, user: string): Promise<void> {
    const client = await vi.waitFor(async () => {
      const connected = await connectClient(program.url());
      connected.send({ event: "auth", data: { user, password: "secret" } });
      expect(await connected.next()).toMatchObject({ status: "Success" });
      return connected;
    }, WAIT);
    const token = tokenOf(user);
    client.send({ event: "push", data: { type: "token", platform: "android", token, state: "enabled" } });
    client.send({ event: "control", data: { type: "version" } });
    await client.next();
    client.close();
  }
});
