// Section "auth": who may connect.
import { z } from "zod";
import { flag, number } from "../fields.ts";

export const auth = z
  .strictObject({
    enable: flag(true, {
      about:
        "Whether clients must log in with a ZoneMinder user. With no, anyone who reaches the port sees every alarm.",
      since: "1.0",
      guarded: "authentication",
    }),
    timeout: number(
      20,
      { min: 1, max: 3600 },
      {
        about:
          "Seconds a client has to log in before it is closed. The phone apps take a few seconds after connecting; 20 is what they expect.",
        since: "1.0",
        live: true,
      },
    ),
  })
  .describe("Who may connect.");
