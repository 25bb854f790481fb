// A running original zmeventnotification.pl: two servers tell every alarm twice.
import { detectOriginal } from "../../zoneminder/original.ts";
import { type Check, ok, problem } from "./check.ts";

export const original: Check = {
  name: "original",
  title: "Original",
  async run({ webUser }) {
    const pid = detectOriginal();
    if (pid === null) return [ok("No original zmeventnotification.pl is running")];
    return [
      problem(
        `The original zmeventnotification.pl is running (process ${pid}): people hear of everything twice`,
        `Stop it: sudo -u ${webUser} zmdc.pl stop zmeventnotification.pl, or kill ${pid} where it was started by hand.`,
      ),
    ];
  },
};
