// One connection to MariaDB or MySQL: the driver's options, and which of its errors mean "the server is not there".
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { PoolOptions } from "mysql2/promise";
import type { DatabaseTarget } from "./database-target.ts";

/** Four serve a storm of logins (each needs two short reads) and are few beside ZoneMinder's own connections. */
const CONNECTIONS = 4;
/** Questions that may wait for a connection; more than all clients of a full house ask at once. */
const QUEUED_QUERIES = 20_000;

/** What the driver is told; the files of a TLS set-up are read here and may throw. */
export function poolOptions(target: DatabaseTarget, connectTimeoutMs: number): PoolOptions {
  return {
    host: target.tcp?.host ?? "localhost",
    port: target.tcp?.port ?? 3306,
    // A function, because which socket exists may change while the database is away.
    stream: () => openStream(target),
    user: target.user,
    password: target.password,
    database: target.database,
    charset: "utf8mb4",
    connectionLimit: CONNECTIONS,
    queueLimit: QUEUED_QUERIES,
    connectTimeout: connectTimeoutMs,
    supportBigNumbers: true,
    decimalNumbers: true,
    dateStrings: true,
    // Statements with lists of different lengths must not pile up on the server.
    maxPreparedStatements: 100,
    // MariaDB may let the operating system's user in through the socket; there is nothing to send then.
    authPlugins: { auth_socket: () => () => Buffer.alloc(0), unix_socket: () => () => Buffer.alloc(0) },
    // Not over a Unix socket: nothing can listen in there, and the server may not offer TLS at all.
    ...(target.tls && !usesSocket(target) ? { ssl: tlsOptions(target.tls) } : {}),
  };
}

function tlsOptions(tls: NonNullable<DatabaseTarget["tls"]>) {
  return {
    ca: readFileSync(tls.ca),
    ...(tls.key === null ? {} : { key: readFileSync(tls.key) }),
    ...(tls.cert === null ? {} : { cert: readFileSync(tls.cert) }),
    rejectUnauthorized: tls.verify !== "off",
    verifyIdentity: tls.verify === "identity",
  };
}

function usesSocket(target: DatabaseTarget): boolean {
  return target.tcp === null || target.sockets.some((path) => existsSync(path));
}

function openStream(target: DatabaseTarget): Socket {
  const [first] = target.sockets;
  const socket = target.sockets.find((path) => existsSync(path)) ?? (target.tcp ? undefined : first);
  if (socket !== undefined) return connect(socket);
  const host = target.tcp?.host ?? "127.0.0.1";
  const stream = connect(target.tcp?.port ?? 3306, host);
  // For an address the driver names no server, and Node then compares the certificate with this field of the socket,
  // which it leaves unset for addresses, or else with "localhost" (node:tls, onConnectSecure).
  Object.assign(stream, { _host: host });
  stream.setNoDelay(true);
  stream.setKeepAlive(true, 30_000);
  return stream;
}

/** Refusals that concern the connection or the server as a whole, not the statement. */
const SERVER_TROUBLE = new Set([
  "ER_ACCESS_DENIED_ERROR",
  "ER_DBACCESS_DENIED_ERROR",
  "ER_BAD_DB_ERROR",
  "ER_CON_COUNT_ERROR",
  "ER_USER_LIMIT_REACHED",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_HOST_IS_BLOCKED",
  "ER_HOST_NOT_PRIVILEGED",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_CONNECTION_KILLED",
  "ER_QUERY_INTERRUPTED",
  "ER_OUT_OF_RESOURCES",
  "ER_OUTOFMEMORY",
]);

/** True when the error says something about the connection or the server, not about the statement. */
export function isConnectionTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const { sqlState, code, fatal } = error as Error & { sqlState?: string; code?: string; fatal?: boolean };
  if (fatal === true || code === undefined) return true;
  return sqlState === undefined || SERVER_TROUBLE.has(code);
}

/** What the driver or the server said, on one line. Neither ever repeats the password. */
export function reasonOf(error: unknown): string {
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  const words = (message || code || String(error)).replace(/\s+/g, " ").replace(/[. ]+$/, "");
  return code === "ENOENT" && syscall === "connect"
    ? `${words} (MariaDB is not running, or its socket is elsewhere)`
    : words;
}
