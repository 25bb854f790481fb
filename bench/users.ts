// A private MariaDB with ZoneMinder's tables, 64 cameras, and users whose passwords have bcrypt hashes of cost 12.
import { hash } from "bcrypt";
import { startMariadb } from "../tests/support/mariadb.ts";
import type { ClientLogin } from "./client-process.ts";
import type { DatabasePlace } from "./daemon-process.ts";

export interface UsersInDatabase {
  readonly place: DatabasePlace;
  /** What user `number` (0, 1, ...) logs in with. */
  login(number: number): ClientLogin;
  stop(): Promise<void>;
}

/** ZoneMinder's own (PHP's PASSWORD_DEFAULT before 8.4); about 0.2 s of a core for each check. */
const COST = 12;
const PASSWORD = "correct horse battery staple";

/**
 * All users have the same hash, because making 500 would take two minutes. Checking them is not made cheaper by that:
 * the user's name is part of what a remembered login is known by.
 */
export async function startUsers(users: number, cameras: number): Promise<UsersInDatabase> {
  const server = await startMariadb();
  try {
    server.createZoneMinder("zm", "1.38");
    // As PHP writes it.
    const stored = (await hash(PASSWORD, COST)).replace(/^\$2b/, "$2y");
    const userRows = range(users).map(
      (number) => `('user-${number}', '${stored}', 1, 'View', 'View', 'View')`,
    );
    const cameraRows = range(cameras).map(
      (index) => `(${index + 1}, 'Camera ${index + 1}', 'Modect', 'OnMotion')`,
    );
    server.sql(
      `INSERT INTO Users (Username, Password, Enabled, Stream, Events, Monitors) VALUES ${userRows.join()};
       INSERT INTO Monitors (Id, Name, \`Function\`, Recording) VALUES ${cameraRows.join()};`,
      "zm",
    );
  } catch (failure) {
    await server.stop();
    throw failure;
  }
  return {
    place: { socket: server.socket, name: "zm", user: "zmuser", password: "zmpass" },
    login: (number) => ({ user: `user-${number}`, password: PASSWORD }),
    stop: server.stop,
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
