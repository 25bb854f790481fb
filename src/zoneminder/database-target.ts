// Where ZoneMinder's database is and how to log in there, worked out from zm.conf.
import type { ZmConf } from "./zm-conf.ts";

export interface DatabaseTarget {
  /** Unix sockets to try first, in order; the first one that exists is used. Empty for a host elsewhere. */
  readonly sockets: readonly string[];
  /** Used when no socket exists; null when zm.conf names a socket and nothing else will do. */
  readonly tcp: { readonly host: string; readonly port: number } | null;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: DatabaseTls | null;
}

/** Paths of PEM files, as zm.conf names them. */
interface DatabaseTls {
  readonly ca: string;
  readonly key: string | null;
  readonly cert: string | null;
  /** "chain" is what the C client does when nothing is said: the certificate must be good, its name is not compared. */
  readonly verify: "off" | "chain" | "identity";
}

const DEFAULT_PORT = 3306;

/**
 * "localhost" means the default Unix socket to the C client library that ZoneMinder uses, never TCP, whatever port
 * is given; these are the defaults of Debian, of Red Hat and of MySQL's own builds.
 */
const DEFAULT_SOCKETS = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

/** Reads ZM_DB_* : `host`, `host:port` or `anything:/path/to/socket`, and TLS if and only if a CA is named. */
export function databaseTarget(conf: ZmConf): DatabaseTarget {
  const value = (key: string) => conf.values.get(key) ?? "";
  return {
    ...place(value("ZM_DB_HOST")),
    database: value("ZM_DB_NAME") || "zm",
    user: value("ZM_DB_USER"),
    password: value("ZM_DB_PASS"),
    tls: value("ZM_DB_SSL_CA_CERT") === "" ? null : tls(value),
  };
}

/** The place in words for a log line; never the password. */
export function describeTarget(target: DatabaseTarget): string {
  const place =
    target.sockets.length > 0 ? target.sockets[0] : `${target.tcp?.host}:${target.tcp?.port ?? DEFAULT_PORT}`;
  return `${target.database} at ${place}`;
}

function place(setting: string): Pick<DatabaseTarget, "sockets" | "tcp"> {
  const socket = /^[^/]*:(\/.+)$/.exec(setting)?.[1] ?? /^(\/.+)$/.exec(setting)?.[1];
  if (socket !== undefined) return { sockets: [socket], tcp: null };
  const split = /^([^:]*|\[[^\]]*\]):(\d{1,5})$/.exec(setting);
  const host = (split?.[1] ?? setting).replace(/^\[(.*)\]$/, "$1");
  const wanted = Number(split?.[2] ?? DEFAULT_PORT);
  const port = wanted >= 1 && wanted <= 65535 ? wanted : DEFAULT_PORT;
  if (host === "" || host.toLowerCase() === "localhost") {
    return { sockets: DEFAULT_SOCKETS, tcp: { host: "127.0.0.1", port } };
  }
  return { sockets: [], tcp: { host, port } };
}

function tls(value: (key: string) => string): DatabaseTls {
  const verify = value("ZM_DB_SSL_VERIFY_SERVER_CERT").toLowerCase();
  return {
    ca: value("ZM_DB_SSL_CA_CERT"),
    key: value("ZM_DB_SSL_CLIENT_KEY") || null,
    cert: value("ZM_DB_SSL_CLIENT_CERT") || null,
    // 1.39.16: empty leaves it to the driver, these four words skip it, anything else compares the name too.
    verify: verify === "" ? "chain" : ["0", "false", "no", "off"].includes(verify) ? "off" : "identity",
  };
}
