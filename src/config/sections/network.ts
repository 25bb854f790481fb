// Section "network": where the server listens.
import { z } from "zod";
import { networkList, number, text } from "../fields.ts";

export const network = z
  .strictObject({
    port: number(9000, { min: 1, max: 65_535 }, { about: "Port to listen on.", since: "1.0" }),
    address: text("[::]", {
      about: "Address to listen on, with and without TLS. [::] means every address, IPv4 and IPv6.",
      since: "1.0",
      guarded: "a host",
    }),
    trusted_proxies: networkList({
      about:
        "Reverse proxies whose X-Forwarded-For header is believed, as addresses or networks. Limits per address count the client behind them.",
      since: "8",
      guarded: "a host",
      example: "[127.0.0.1, 10.0.0.0/8]",
    }),
  })
  .describe("Where the server listens.");
