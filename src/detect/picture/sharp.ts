// Loads the library that decodes, scales and encodes pictures: at the first picture, because it takes 20 MB.
import { reasonOf } from "../../lib/errors.ts";

export type Sharp = typeof import("sharp")["default"];

/** The library, set up for a program that runs beside ZoneMinder. Rejects with what to install. */
export function loadSharp(): Promise<Sharp> {
  loading ??= load();
  return loading;
}

let loading: Promise<Sharp> | null = null;

async function load(): Promise<Sharp> {
  try {
    const { default: sharp } = await import("sharp");
    // Every picture is another one, so that a cache would only take memory; threads belong to the models.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  } catch (failure) {
    throw new Error(
      `The library for pictures cannot be loaded: ${reasonOf(failure)}. Run \`npm ci --ignore-scripts\` in the folder of zmes.`,
      { cause: failure },
    );
  }
}
