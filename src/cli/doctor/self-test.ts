// The whole way a client goes: to our own port, or to the address that --url names.
import { readFile } from "node:fs/promises";
import { type Check, skipped } from "./check.ts";
import { tryConnection } from "./connection.ts";
import { hasSystemd, type Subject } from "./subject.ts";

export const selfTest: Check = {
  name: "self-test",
  title: "Self-test",
  deadlineMs: 25_000,
  async run(subject) {
    const { url, holder, login } = subject;
    if (url === null && holder !== null && !holder.isOurs)
      return [skipped("The port belongs to another program")];
    if (url === null && holder === null)
      return [skipped("zmes is not running here; `--url wss://HOST:9000` tries another machine")];
    return await tryConnection({
      url: url ?? ownUrl(subject),
      ca: await ownChain(subject),
      checkName: url !== null,
      login,
      startIt: hasSystemd()
        ? "Start the server: sudo systemctl start zmes"
        : "Start the server: sudo zmes run",
    });
  },
};

function ownUrl({ config: { network, ssl } }: Subject): URL {
  const bare = network.address.trim().replace(/^\[(.*)\]$/, "$1");
  const host = ["", "::", "0.0.0.0"].includes(bare) ? "localhost" : bare.includes(":") ? `[${bare}]` : bare;
  return new URL(`${ssl.enable ? "wss" : "ws"}://${host}:${network.port}`);
}

/** A phone that was given our own authority trusts it as well. */
async function ownChain({ config: { ssl } }: Subject): Promise<readonly string[]> {
  if (!ssl.enable || ssl.cert === null) return [];
  return [await readFile(ssl.cert, "utf8").catch(() => "")].filter((text) => text !== "");
}
