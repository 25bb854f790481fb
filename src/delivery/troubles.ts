// Whom a channel cannot reach now: one line in the log when that begins and one when it is over.
import type { ChannelName, RecipientId } from "../domain/notice.ts";
import type { Logger } from "../lib/log.ts";

export interface Troubles {
  /** An attempt failed and comes again. */
  begin(recipient: RecipientId, problem: string): void;
  /** A notice was given up: true when that is news, because the reason is not the last one. */
  isNewRefusal(recipient: RecipientId, problem: string): boolean;
  /** A notice was delivered, or nothing more is to be said of this recipient. */
  works(recipient: RecipientId): void;
  /** A notice came to its end, whatever that was. */
  end(recipient: RecipientId): void;
}

/** What lies between the two lines is for `zmes outbox`: a thousand phones behind a dead line are one trouble. */
export function createTroubles(channel: ChannelName, logger: Logger): Troubles {
  const unreached = new Set<RecipientId>();
  const refusals = new Map<RecipientId, string>();
  return {
    begin(recipient, problem) {
      if (unreached.size === 0)
        logger.warn({ channel, recipient, problem }, "Notices cannot be delivered and are tried again");
      unreached.add(recipient);
    },
    isNewRefusal(recipient, problem) {
      const isNew = refusals.get(recipient) !== problem;
      refusals.set(recipient, problem);
      return isNew;
    },
    works: (recipient) => void refusals.delete(recipient),
    end(recipient) {
      if (unreached.delete(recipient) && unreached.size === 0)
        logger.info({ channel }, "No notice waits for another attempt any more");
    },
  };
}
