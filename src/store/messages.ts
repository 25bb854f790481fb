// What the store and its thread say to each other.

/** A mark as it lies in the file. */
export interface MarkRow {
  readonly monitor: number;
  readonly event: number | null;
  readonly edge: number;
  readonly at: number;
  readonly open: 0 | 1;
}

/** A fact as it lies in the file: JSON text. */
export interface FactRow {
  readonly key: string;
  readonly value: string;
}

/** A decision as it is written: texts and numbers only, so that handing it over costs little. */
export interface DecisionRow {
  /** The alarm's id. */
  readonly key: string;
  readonly phase: string;
  readonly event: number | null;
  readonly seenAt: number;
  /** JSON text. */
  readonly alarm: string;
  readonly withheld: string | null;
  /** JSON text, or null when nothing was found out. */
  readonly found: string | null;
  readonly deliveries: readonly DeliveryRow[];
}

interface DeliveryRow {
  readonly channel: string;
  readonly recipient: string;
  readonly label: string;
  /** JSON text. */
  readonly trace: string;
  /** Why not; null for a notice that is to be delivered. */
  readonly reason: string | null;
  readonly at: number;
  readonly expiresAt: number;
}

/** What came of a notice. */
export interface OutcomeRow {
  readonly id: number;
  /** Of the notice: should somebody have removed the file meanwhile, its number may be another notice's now. */
  readonly createdAt: number;
  readonly state: string;
  readonly words: string;
  readonly attempts: number;
  readonly at: number;
  readonly dueAt: number;
}

/** How many clients on sockets were told of an alarm: JSON text, added to what is there. */
export interface SocketsRow {
  readonly key: string;
  readonly phase: string;
  readonly counts: string;
}

/** A pending notice as it lies in the file. */
export interface PendingRow {
  readonly id: number;
  readonly alarm: string;
  /** JSON text. */
  readonly trace: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly expiresAt: number;
}

/** What was decided about the beginning of an alarm. */
export interface StartRow {
  /** JSON text. */
  readonly alarm: string;
  readonly withheld: string | null;
  readonly refused: readonly { readonly recipient: string; readonly reason: string }[];
}

/** Somebody for whom notices are pending. */
export interface BacklogRow {
  readonly channel: string;
  readonly recipient: string;
  readonly count: number;
}

/** Everything of one transaction. */
export interface Batch {
  readonly marks: readonly MarkRow[];
  readonly facts: readonly FactRow[];
  readonly decisions: readonly DecisionRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly sockets: readonly SocketsRow[];
}

/** The answer to "open". */
export interface OpenedFile {
  /** The inode of a file that is too large to be checked while it is opened, after a run that was cut off. */
  readonly unchecked: number | null;
}

export type StoreWork =
  | { readonly do: "open" }
  | { readonly do: "damaged"; readonly inode: number }
  | ({ readonly do: "write" } & Batch)
  | { readonly do: "marks" }
  | { readonly do: "fact"; readonly key: string }
  | { readonly do: "backlog" }
  | {
      readonly do: "pending";
      readonly channel: string;
      readonly recipient: string;
      /** Rows that the asker has already. */
      readonly except: readonly number[];
      readonly limit: number;
    }
  | { readonly do: "due"; readonly ids: readonly number[] }
  | {
      readonly do: "drop";
      readonly channel: string;
      readonly recipient: string;
      readonly words: string;
      readonly at: number;
    }
  | { readonly do: "expire"; readonly now: number; readonly limit: number }
  | { readonly do: "prune"; readonly before: number; readonly limit: number }
  | { readonly do: "start"; readonly key: string }
  | { readonly do: "changes" }
  | { readonly do: "close" };

export interface StoreRequest {
  readonly id: number;
  /** ms since 1970; the thread has no clock. */
  readonly now: number;
  readonly work: StoreWork;
}

export interface StoreAnswer {
  readonly id: number;
  /** Where a damaged file was put, and how many waiting notices could be read from it; null when all is well. */
  readonly setAside: { readonly name: string; readonly salvaged: number } | null;
  readonly outcome:
    | { readonly done: true; readonly value: unknown }
    | { readonly done: false; readonly problem: string; readonly newer: NewerFormat | null };
}

export interface NewerFormat {
  readonly found: number;
  readonly known: number;
}
