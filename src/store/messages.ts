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

export type StoreWork =
  | { readonly do: "open" }
  | { readonly do: "write"; readonly marks: readonly MarkRow[]; readonly facts: readonly FactRow[] }
  | { readonly do: "marks" }
  | { readonly do: "fact"; readonly key: string }
  | { readonly do: "close" };

export interface StoreRequest {
  readonly id: number;
  /** ms since 1970; the thread has no clock. */
  readonly now: number;
  readonly work: StoreWork;
}

export interface StoreAnswer {
  readonly id: number;
  /** Where a damaged file was put, when that happened. */
  readonly setAside: string | null;
  readonly outcome:
    | { readonly done: true; readonly value: unknown }
    | { readonly done: false; readonly problem: string; readonly newer: NewerFormat | null };
}

export interface NewerFormat {
  readonly found: number;
  readonly known: number;
}
