// A logged-in client as the channels see it; the server room provides them.
import type { Recipient } from "../domain/recipient.ts";

/** One logged-in client, as far as telling it needs to know. */
export interface LiveReceiver {
  readonly user: string | null;
  readonly address: string;
  /** On the monotonic clock. */
  readonly loggedInAt: number;
  readonly recipient: Recipient;
  /** True when the same person is told by push as well: the copy says so, and old apps stay silent on it. */
  readonly supplementary: boolean;
  /** True when the client asked for updates of what it was told. */
  readonly updates?: boolean;
  /** False when the connection is closing or must not hear of alarms. */
  writable(): boolean;
  /** Hands finished frames to the socket. Never throws and never waits: a slow client is dealt with inside. */
  write(bytes: Buffer): void;
}

/** Whoever is logged in now. The array must not change once it was given out. */
export interface LiveSessions {
  receivers(): readonly LiveReceiver[];
}
