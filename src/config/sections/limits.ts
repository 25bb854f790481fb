// Section "limits": how much a client may ask of the server. Each limit says why it is as it is.
import { z } from "zod";
import { number } from "../fields.ts";

export const limits = z
  .strictObject({
    message_bytes: number(
      65_536,
      { min: 1024, max: 16_777_216 },
      {
        about:
          "Largest message a client may send, in bytes. A login with lists for a thousand monitors is under 16,000.",
        since: "8",
        live: true,
      },
    ),
    connections: number(
      10_000,
      { min: 1, max: 1_000_000 },
      {
        about:
          "Most connections at the same time. Ten thousand need a few hundred megabytes; the system's limit of open files must allow it.",
        since: "8",
        live: true,
      },
    ),
    unauthenticated_per_address: number(
      100,
      { min: 1, max: 100_000 },
      {
        about:
          "Most connections of one address that have not logged in. Leaves room for a household behind one address, none for a flood.",
        since: "8",
        live: true,
      },
    ),
    client_buffer_bytes: number(
      1_048_576,
      { min: 65_536, max: 1_073_741_824 },
      {
        about:
          "Bytes kept for a client that does not read; beyond it the client is closed and may come back. One mebibyte is over a thousand alarms.",
        since: "8",
        live: true,
      },
    ),
    handshake_timeout: number(
      10,
      { min: 1, max: 300 },
      {
        about:
          "Seconds for the TLS and HTTP handshake. A phone on a bad line needs two or three; who stalls on purpose must not stay.",
        since: "8",
        live: true,
      },
    ),
    queued_messages: number(
      64,
      { min: 1, max: 10_000 },
      {
        about:
          "Messages of one connection that wait behind its login. Clients send two or three; more is no client.",
        since: "8",
        live: true,
      },
    ),
    failed_logins_per_address: number(
      20,
      { min: 1, max: 100_000 },
      {
        about:
          "Wrong passwords a minute from one address before its logins are held off. Several phones with an old password stay below it.",
        since: "8",
        live: true,
        guarded: "authentication",
      },
    ),
    failed_logins_per_user: number(
      10,
      { min: 1, max: 100_000 },
      {
        about:
          "Wrong passwords a minute for one user before its logins are delayed. A right password is never refused.",
        since: "8",
        live: true,
        guarded: "authentication",
      },
    ),
    queued_logins: number(
      2000,
      { min: 1, max: 1_000_000 },
      {
        about:
          "Logins that wait for their password check at once. A check takes a quarter of a second, and after a restart all clients come back together.",
        since: "8",
        live: true,
      },
    ),
  })
  .describe("How much a client may ask of the server.");
