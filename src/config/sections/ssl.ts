// Section "ssl": the certificate the server shows.
import { z } from "zod";
import { flag, optionalText } from "../fields.ts";

export const ssl = z
  .strictObject({
    enable: flag(true, {
      about:
        "Whether clients connect with TLS (wss://). Needs cert and key. With no, passwords cross the network readable (ws://).",
      since: "1.0",
      guarded: "authentication",
    }),
    cert: optionalText(
      {
        about: "Certificate in PEM form, with the chain; read again when the file changes.",
        since: "1.0",
        example: "/etc/ssl/certs/zoneminder.pem",
      },
      "file",
    ),
    key: optionalText(
      {
        about: "Private key of the certificate, in PEM form.",
        since: "1.0",
        example: "/etc/ssl/private/zoneminder.key",
      },
      "file",
    ),
  })
  .describe("The certificate the server shows.");
