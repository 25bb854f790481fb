// A text that is read from left to right, and what went wrong at which line and column of it.
import type { Value } from "./value.ts";

/** Where the text begins in its file, and what its value is called. */
export interface LiteralPlace {
  readonly path: string;
  readonly line: number;
  /** Of the first character, from 1; other lines begin at 1. */
  readonly column: number;
}

export interface Scanner {
  readonly text: string;
  at: number;
  /** Where lines end. */
  readonly breaks: readonly number[];
  readonly place: LiteralPlace;
  readonly doubled: Value[];
}

export class Fault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export function fail(scanner: Scanner, message: string, at = scanner.at): never {
  throw new Fault(message, at);
}

/** From 1, both. */
export function positionOf({ breaks, place }: Scanner, at: number): { line: number; column: number } {
  let [low, high] = [0, breaks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((breaks[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const column = low === 0 ? at + place.column : at - (breaks[low - 1] ?? 0);
  return { line: place.line + low, column };
}

/** Goes on behind blanks, line ends and comments. */
export function skipBlanks(scanner: Scanner): void {
  const pattern = /(?:\s+|\\\r?\n|#[^\n]*)*/y;
  pattern.lastIndex = scanner.at;
  scanner.at += pattern.exec(scanner.text)?.[0].length ?? 0;
}

/** Goes on behind what the sticky pattern finds here; null: nothing. */
export function match(scanner: Scanner, pattern: RegExp): string | null {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.text)?.[0] ?? null;
  scanner.at += found?.length ?? 0;
  return found;
}
