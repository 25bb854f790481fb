// Starts the parts of a program in order and stops them in reverse, each with a deadline.

/** A part with a lifetime. Constructors do nothing; `start` does the work; `stop` may be called twice. */
export interface Part {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}
