// Section "pictures": links of our own to the picture of an alarm.
import { z } from "zod";
import { flag, number, optionalText } from "../fields.ts";

export const pictures = z
  .strictObject({
    public_url: optionalText(
      {
        about:
          "Address under which phones reach this server with https, such as a reverse proxy's. Messages then carry links to it that work for a day, for one user and one picture, instead of ZoneMinder's address with a password in it. customize.include_picture must be on.",
        since: "8",
        example: "https://cameras.example.org",
      },
      "url",
    ),
    expires_after: number(
      86_400,
      { min: 60, max: 2_592_000 },
      {
        about: "Seconds for which a picture link works. A day covers a phone that was off at night.",
        since: "8",
      },
    ),
    allow_credentials_in_url: flag(false, {
      about:
        "Whether messages may carry customize.picture_url with the user name and password of ZoneMinder in it. They pass through Google's servers and stay on every phone.",
      since: "8",
      guarded: "a secret",
    }),
    allow_public: flag(false, {
      about:
        "Whether pictures may be fetched from anywhere although nobody has to log in (auth.enable is no); otherwise only from private addresses.",
      since: "8",
      guarded: "authentication",
    }),
  })
  .describe("Links of our own to the picture of an alarm.");
