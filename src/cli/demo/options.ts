// Reads the command line of `zmes demo`.
import { parseArgs } from "node:util";

export interface DemoOptions {
  readonly monitors: number;
  readonly everyMs: number;
  /** 0: any free port. */
  readonly port: number;
}

/** Throws an Error with a sentence for people when the call is wrong. */
export function parseDemoOptions(argv: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      monitors: { type: "string", default: "4" },
      every: { type: "string", default: "5" },
      port: { type: "string", default: "9000" },
    },
  });
  return {
    // Each camera is a file that is written five times a second; a thousand is more than any demonstration needs.
    monitors: number("--monitors", values.monitors, { min: 1, max: 1000, whole: true }),
    everyMs: number("--every", values.every, { min: 0.2, max: 3600, whole: false }) * 1000,
    port: number("--port", values.port, { min: 0, max: 65_535, whole: true }),
  };
}

interface Limits {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

function number(flag: string, text: string, { min, max, whole }: Limits): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new Error(`${flag} takes a ${whole ? "whole " : ""}number from ${min} to ${max}, not "${text}".`);
}
