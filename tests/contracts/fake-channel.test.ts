// The channel that the tests of delivery use keeps the promises of a real one.
import { type Answer, aPerson, createFakeChannel } from "../support/fake-channel.ts";
import { channelContract, type OtherSide } from "./channel.contract.ts";

const answers: Readonly<Record<OtherSide, Answer>> = {
  accepts: "accept",
  "is busy": "busy",
  "forgot the recipient": "gone",
  refuses: "refuse",
  hangs: "hang",
};

channelContract("the fake channel", Object.keys(answers) as OtherSide[], async () => {
  const channel = createFakeChannel({ people: [aPerson("27a387")] });
  return {
    channel,
    play(behaviour) {
      channel.answer = () => answers[behaviour];
    },
    retryAfterMs: 1,
    accepted: () => channel.accepted.length,
    secrets: ["password"],
    log: [],
    close: async () => undefined,
  };
});
