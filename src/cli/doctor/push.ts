// Push to phones: there is a key, the other side is reached, and accepts it. Nothing is sent.
import { readServiceAccount } from "../../channels/fcm/account.ts";
import { createHttpClient } from "../../channels/fcm/http.ts";
import { createAccessTokens } from "../../channels/fcm/token.ts";
import { type FcmWay, fcmWay } from "../../channels/fcm/way.ts";
import { shellWord } from "../../lib/command-line.ts";
import { AppError, reasonOf } from "../../lib/errors.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./check.ts";
import type { Subject } from "./subject.ts";

export const push: Check = {
  name: "push",
  title: "Push",
  async run(subject) {
    const { fcm } = subject.config;
    if (!fcm.enable) return [skipped("Push to phones is off (fcm.enable)")];
    const way = fcmWay(fcm);
    switch (way.kind) {
      case "none":
        return [warning(`Phones are not reached by push: ${way.why}`, way.wayOut)];
      case "relay":
        return [await relay(way)];
      case "direct":
        return await direct(way, subject);
    }
  },
};

const ANSWER_MS = 8_000;

/** The key is only looked at together with a message. */
async function relay({ url }: FcmWay & { kind: "relay" }): Promise<Finding> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    await fetch(url.origin, { method: "HEAD", redirect: "manual", signal });
    return ok(`The push proxy ${url.host} is reached; \`zmes test-push\` shows whether it takes the key`);
  } catch (failure) {
    return unreachable(url.host, failure);
  }
}

async function direct(
  { file }: FcmWay & { kind: "direct" },
  { clock, webUser }: Subject,
): Promise<Finding[]> {
  try {
    const account = await readServiceAccount(file);
    const { host } = new URL(account.tokenUri);
    const tokens = createAccessTokens({ account: async () => account, post: postForm, clock });
    try {
      await tokens.get(AbortSignal.timeout(ANSWER_MS));
    } catch (failure) {
      return [refusedBy(host, file, failure)];
    }
    return [ok(`${host} accepts the service account of project ${account.projectId}`)];
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    if (failure.code !== "FCM_KEY_UNREADABLE") return [problem(failure.message, failure.hint)];
    const open = `sudo chgrp ${webUser} ${shellWord(file)} && sudo chmod 640 ${shellWord(file)}`;
    return [problem(failure.message, `Let the server's user read it: ${open}`)];
  }
}

function refusedBy(host: string, file: string, failure: unknown): Finding {
  const reason = reasonOf(failure);
  if (!/^Google refused/.test(reason)) return unreachable(host, failure);
  return problem(
    reason,
    `Make a new key in the Firebase console (Project settings, Service accounts) and put it into ${file}; a clock that is wrong has the same effect.`,
  );
}

function unreachable(host: string, failure: unknown): Finding {
  const cause = failure instanceof Error && failure.cause !== undefined ? failure.cause : failure;
  return problem(
    `${host} cannot be reached: ${reasonOf(cause)}`,
    `See whether this machine gets out to the internet: curl -sSI https://${host}`,
  );
}

async function postForm(tokenUri: string, body: string, signal: AbortSignal) {
  const url = new URL(tokenUri);
  const client = createHttpClient({ origin: url.origin, sessions: 1, timeoutMs: ANSWER_MS });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  try {
    return await client.post({ path: `${url.pathname}${url.search}`, headers, body }, signal);
  } finally {
    client.close();
  }
}
