// Section "devices": who may register phones, and how many.
import { z } from "zod";
import { flag, number } from "../fields.ts";

export const devices = z
  .strictObject({
    adopt_days: number(
      30,
      { min: 0, max: 3650 },
      {
        about:
          "Days for which a phone from an old token file, which has no owner, is still told before it has logged in. A month covers a holiday.",
        since: "8",
      },
    ),
    per_user: number(
      50,
      { min: 1, max: 10_000 },
      {
        about:
          "Most phones of one user. Each new installation of an app counts until Google says that the old one is gone.",
        since: "8",
        live: true,
      },
    ),
    allow_public_registration: flag(false, {
      about:
        "Whether phones may register from anywhere although nobody has to log in (auth.enable is no); otherwise only from private addresses.",
      since: "8",
      guarded: "authentication",
    }),
  })
  .describe("Phones that register for push.");
