// One message straight to Google: access token, POST to FCM's HTTP v1 interface, and what the answer means.
import type { Clock } from "../../lib/clock.ts";
import { readServiceAccount } from "./account.ts";
import { fcmFailure } from "./errors.ts";
import type { HttpReply } from "./exchange.ts";
import { createHttpClient } from "./http.ts";
import { type FcmContent, type FcmMessageOptions, toFcmMessage } from "./message.ts";
import { attempted, type FcmSender, type FcmTarget } from "./sender.ts";
import { createThreadedHttpClient } from "./threaded-http.ts";
import { type Access, createAccessTokens } from "./token.ts";

export interface DirectSenderDeps {
  /** The key file of the service account. */
  readonly file: string;
  readonly options: FcmMessageOptions;
  readonly target: FcmTarget;
  readonly clock: Clock;
}

/** Nothing is read or connected before the first message. */
export function createDirectSender({ file, options, target, clock }: DirectSenderDeps): FcmSender {
  const fcm = createThreadedHttpClient({ ...target, origin: target.origin ?? ORIGIN });
  const tokens = createAccessTokens({ account: () => readServiceAccount(file), post: postForm, clock });

  return {
    concurrency: 200,
    async send(content, signal) {
      const reply = await attempted("FCM", async () => {
        const access = await tokens.get(signal);
        const first = await post(content, access, signal);
        if (!isExpiredToken(first)) return first;
        tokens.discard(access);
        return await post(content, await tokens.get(signal), signal);
      });
      if (!isAccepted(reply)) throw fcmFailure(reply, content.device.token, clock.now());
      return `accepted by FCM${messageId(reply.body)}`;
    },
    close: () => fcm.close(),
  };

  async function post(content: FcmContent, access: Access, signal: AbortSignal) {
    return await fcm.post(
      {
        path: `/v1/projects/${encodeURIComponent(access.projectId)}/messages:send`,
        headers: { "content-type": "application/json", authorization: `Bearer ${access.token}` },
        body: JSON.stringify(toFcmMessage(content, options)),
      },
      signal,
    );
  }

  /** Once an hour: not worth a connection that is kept. */
  async function postForm(tokenUri: string, form: string, signal: AbortSignal): Promise<HttpReply> {
    const url = new URL(tokenUri);
    const client = createHttpClient({ ...target, origin: url.origin, sessions: 1 });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    try {
      return await client.post({ path: `${url.pathname}${url.search}`, headers, body: form }, signal);
    } finally {
      client.close();
    }
  }
}

const ORIGIN = "https://fcm.googleapis.com";

function isAccepted(reply: HttpReply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** A 401 may also speak of the project's key for Apple, which no new token mends. */
function isExpiredToken(reply: HttpReply): boolean {
  return reply.status === 401 && !reply.body.includes("THIRD_PARTY_AUTH_ERROR");
}

/** The last part of {"name": "projects/P/messages/ID"}: what Google's support asks for. */
function messageId(body: string): string {
  const id = /"name"\s*:\s*"projects\/[^"/]+\/messages\/([\w:%.-]{1,100})"/.exec(body)?.[1];
  return id === undefined ? "" : ` as ${id}`;
}
