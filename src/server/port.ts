// Opens the TCP port, or says why it cannot be opened.
import type { AddressInfo, Server } from "node:net";
import { AppError, systemCode } from "../lib/errors.ts";

interface Network {
  readonly address: string;
  readonly port: number;
}

/** Connections the kernel keeps until they are accepted; a whole fleet may come back at once after a restart. */
const BACKLOG = 4096;

/** Opens the port on the address; throws an AppError that says why it cannot, and never takes another port. */
export async function openPort(port: Server, network: Network): Promise<void> {
  const addresses = addressesToTry(network.address);
  for (const [index, host] of addresses.entries()) {
    try {
      await openOn(port, host, network.port);
      return;
    } catch (failure) {
      const isWithoutIpv6 = ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(systemCode(failure) ?? "");
      if (isWithoutIpv6 && index + 1 < addresses.length) continue;
      throw listenError(failure, network);
    }
  }
}

/** Where it listens, or null. */
export function addressOf(port: Server): AddressInfo | null {
  const address = port.address();
  return address === null || typeof address === "string" ? null : address;
}

/** The addresses to listen on, best first. "[::]" takes IPv4 as well, and where IPv6 is off only IPv4 is left. */
export function addressesToTry(address: string): readonly string[] {
  const bare = address.trim().replace(/^\[(.*)\]$/, "$1");
  return bare === "" || bare === "::" ? ["::", "0.0.0.0"] : [bare];
}

async function openOn(port: Server, host: string, number: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  port.once("error", reject);
  port.listen({ host, port: number, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } finally {
    port.off("error", reject);
    port.off("listening", resolve);
  }
}

function listenError(failure: unknown, { address, port }: Network): AppError {
  switch (systemCode(failure)) {
    case "EADDRINUSE":
      return new AppError("NETWORK_PORT_IN_USE", { port, address }, failure);
    case "EACCES":
    case "EPERM":
      return new AppError("NETWORK_PORT_FORBIDDEN", { port, address }, failure);
    default:
      return new AppError("NETWORK_ADDRESS_UNUSABLE", { address }, failure);
  }
}
