// One thing that reached people with the original and will not any more.

export interface Loss {
  /** A sentence without its full stop. */
  readonly what: string;
  /** One line: a setting, or a command. */
  readonly restore: string;
}
