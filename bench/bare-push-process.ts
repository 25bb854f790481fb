// The floor of pushing: nothing but `node:http2`, two sessions, and one text that is there already.
import { type ClientHttp2Session, connect } from "node:http2";
import { readServiceAccount } from "../src/channels/fcm/account.ts";
import { createHttpClient } from "../src/channels/fcm/http.ts";
import { createAccessTokens } from "../src/channels/fcm/token.ts";
import { systemClock } from "../src/lib/clock.ts";
import { answerCalls } from "./child.ts";
import type { GooglePlace } from "./google-process.ts";
import { instant } from "./instant.ts";

export interface BarePushCalls {
  /** Sends the text so often, and says when it began; resolves when all is answered. */
  send(request: { readonly text: string; readonly count: number }): Promise<number>;
}

const SESSIONS = 2;
/** Streams on each, as Google allows. */
const STREAMS = 100;

await answerCalls(async (google: GooglePlace): Promise<BarePushCalls> => {
  const { origin, ca, keyFile } = google;
  const client = createHttpClient({ origin, ca });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const tokens = createAccessTokens({
    account: () => readServiceAccount(keyFile),
    post: (_, body, signal) => client.post({ path: "/token", headers, body }, signal),
    clock: systemClock,
  });
  const { token, projectId } = await tokens.get(new AbortController().signal);
  client.close();
  const sessions = Array.from({ length: SESSIONS }, () => connect(origin, { ca }));
  const path = `/v1/projects/${projectId}/messages:send`;

  const post = (session: ClientHttp2Session, text: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
    });
    stream.on("response", ({ ":status": status }) => {
      if (status !== 200) reject(new Error(`Google answered ${status}`));
    });
    stream.on("end", resolve).on("error", reject).resume();
    stream.end(text);
    return promise;
  };
  return {
    async send({ text, count }) {
      const began = instant();
      let left = count;
      const work = async (session: ClientHttp2Session): Promise<void> => {
        while (left-- > 0) await post(session, text);
      };
      await Promise.all(sessions.flatMap((session) => Array.from({ length: STREAMS }, () => work(session))));
      return began;
    },
  };
});
