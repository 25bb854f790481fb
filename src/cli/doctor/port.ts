// The port: free, held by zmes itself, or by somebody else.
import { createServer } from "node:net";
import { AppError } from "../../lib/errors.ts";
import { openPort } from "../../server/port.ts";
import { type Check, ok, problem, warning } from "./check.ts";
import { hasSystemd, type Subject } from "./subject.ts";

export const port: Check = {
  name: "port",
  title: "Port",
  async run(subject) {
    const { holder, config, webUser } = subject;
    const { port: number } = config.network;
    if (holder?.isOurs) return [ok(`zmes listens on port ${number} (process ${holder.pid})`)];
    if (holder !== null)
      return [
        problem(
          `Port ${number} is held by process ${holder.pid} (${holder.command})`,
          `Stop that program, or set network.port to another port.`,
        ),
      ];
    const refusal = await whyNotFree(subject);
    if (refusal === null)
      return [
        warning(
          `Port ${number} is free: zmes is not running`,
          hasSystemd()
            ? "Start it: sudo systemctl start zmes"
            : `Start it: sudo -u ${webUser} zmdc.pl start zmeventnotification.pl, or sudo zmes run`,
        ),
      ];
    if (refusal.code === "NETWORK_PORT_IN_USE")
      return [
        problem(
          `Port ${number} is in use by a process that this user may not see`,
          `Find out which: sudo ss -ltnp 'sport = :${number}'`,
        ),
      ];
    return [problem(refusal.message, refusal.hint)];
  },
};

/** Listens for a moment, as the server would. */
async function whyNotFree({ config }: Subject): Promise<AppError | null> {
  const server = createServer();
  try {
    await openPort(server, config.network);
    return null;
  } catch (failure) {
    if (failure instanceof AppError) return failure;
    throw failure;
  } finally {
    server.close();
  }
}
