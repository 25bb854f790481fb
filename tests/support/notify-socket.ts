/** Somebody who listens on a unix datagram socket, as systemd does; Node cannot, so Perl does. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { eventually } from "./eventually.ts";

export interface NotifySocket {
  /** What came so far, one message each. */
  messages(): readonly string[];
  close(): void;
}

/** Listens on this path, for every user. */
export async function listenForNotices(socket: string): Promise<NotifySocket> {
  let received = "";
  const script = `use Socket; $| = 1; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, sockaddr_un($ARGV[0])) or die;
    while (defined(recv($s, my $m, 4096, 0))) { print "$m\\n" unless $m =~ /^BARRIER/ }`;
  const receiver = spawn("perl", ["-e", script, socket], { stdio: ["ignore", "pipe", "inherit"] });
  receiver.stdout.on("data", (chunk) => {
    received += String(chunk);
  });
  await eventually(() => {
    if (!existsSync(socket)) throw new Error("not listening yet");
  });
  chmodSync(socket, 0o777);
  return {
    messages: () => received.split("\n").slice(0, -1),
    close: () => void receiver.kill("SIGKILL"),
  };
}
