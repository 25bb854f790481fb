// A port for programs that must be told one, and for finding nobody there.
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below those that Linux gives to connections and to servers that name none (32768 to 60999): the other tests make
 * thousands of them, and one could be this port before it is used.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A port on which nobody listens on any address; picked at random, so that two that pick at once hardly ever meet. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
