// Lines that arrive over a socket in pieces, none of them longer than a limit.
import type { Socket } from "node:net";

/** Calls back for each whole line; `onTooLong` once, and nothing after it. */
export function readLines(
  socket: Socket,
  limitBytes: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): void {
  let rest = Buffer.alloc(0);
  let isOver = false;
  socket.on("data", (part: Buffer) => {
    if (isOver) return;
    rest = Buffer.concat([rest, part]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    if (rest.length <= limitBytes) return;
    isOver = true;
    rest = Buffer.alloc(0);
    onTooLong();
  });
}
