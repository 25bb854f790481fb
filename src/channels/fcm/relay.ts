// One message through a push proxy, which holds the key to the apps from the stores.
import type { Clock } from "../../lib/clock.ts";
import { relayFailure } from "./errors.ts";
import { type FcmMessageOptions, toRelayMessage } from "./message.ts";
import { attempted, type FcmSender, type FcmTarget } from "./sender.ts";
import { createThreadedHttpClient } from "./threaded-http.ts";

export interface RelaySenderDeps {
  readonly url: URL;
  readonly key: string;
  readonly options: FcmMessageOptions;
  readonly target: FcmTarget;
  readonly clock: Clock;
}

/** Nothing is connected before the first message. */
export function createRelaySender({ url, key, options, target, clock }: RelaySenderDeps): FcmSender {
  const client = createThreadedHttpClient({ ...target, origin: url.origin });
  return {
    concurrency: 50,
    async send(content, signal) {
      const body = JSON.stringify(toRelayMessage(content, options));
      // The key as it is: the proxies of all versions of the original take it without a scheme word.
      const headers = { "content-type": "application/json", authorization: key };
      const path = `${url.pathname}${url.search}`;
      const reply = await attempted("the push proxy", () => client.post({ path, headers, body }, signal));
      if (reply.status < 200 || reply.status > 299)
        throw relayFailure(reply, content.device.token, clock.now());
      return "accepted by the push proxy";
    },
    close: () => client.close(),
  };
}
