// Loads OpenCV compiled to WebAssembly, with types for the few things of it that are used.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export interface OpenCv {
  readonly Mat: new (rows: number, columns: number, type: number) => OpenCvMat;
  readonly Size: new (width: number, height: number) => object;
  readonly RectVector: new () => OpenCvVector<{ x: number; y: number; width: number; height: number }>;
  readonly DoubleVector: new () => OpenCvVector<number>;
  readonly HOGDescriptor: {
    new (): HogDescriptor;
    getDefaultPeopleDetector(): OpenCvVector<number>;
  };
  readonly CV_8UC3: number;
  readonly CV_32FC1: number;
  exceptionFromPtr(pointer: number): { readonly msg: string };
}

/** Lives in WebAssembly's memory: whoever makes one calls `delete`. */
interface OpenCvObject {
  delete(): void;
}

export interface OpenCvMat extends OpenCvObject {
  readonly data: Uint8Array;
  readonly data32F: Float32Array;
}

interface OpenCvVector<T> extends OpenCvObject {
  size(): number;
  get(index: number): T;
}

export interface HogDescriptor extends OpenCvObject {
  setSVMDetector(coefficients: OpenCvMat): void;
  /** All of them are needed: there are no default values here. */
  detectMultiScale(
    picture: OpenCvMat,
    locations: OpenCvObject,
    weights: OpenCvObject,
    hitThreshold: number,
    stride: object,
    padding: object,
    scale: number,
    groupThreshold: number,
    useMeanShift: boolean,
  ): void;
}

/**
 * The one OpenCV of this process. In an array, because it has a method `then`: a promise that is resolved with it
 * bare takes it for another promise, and never ends.
 */
export function loadOpenCv(): Promise<readonly [OpenCv]> {
  loaded ??= load();
  return loaded;
}

/** C++ exceptions arrive as a number: the place of the exception in memory. */
export function wordsOf(cv: OpenCv, thrown: unknown): string {
  if (typeof thrown === "number") return cv.exceptionFromPtr(thrown).msg;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

let loaded: Promise<readonly [OpenCv]> | null = null;

/** Handlers that the module puts on the process: they end it at errors that are ours to handle. */
const EVENTS = ["uncaughtException", "unhandledRejection"] as const;

async function load(): Promise<readonly [OpenCv]> {
  const before = EVENTS.map((event) => new Set(process.listeners(event as "uncaughtException")));
  // Not by import(), which resolves a promise with it.
  const module = require("@techstark/opencv-js") as OpenCv & Loading;
  await initialized(module);
  for (const [index, event] of EVENTS.entries()) {
    for (const listener of process.listeners(event as "uncaughtException")) {
      if (!before[index]?.has(listener)) process.off(event, listener);
    }
  }
  return [module];
}

interface Loading {
  onRuntimeInitialized?: () => void;
}

function initialized(module: Partial<OpenCv> & Loading): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (module.HOGDescriptor === undefined) module.onRuntimeInitialized = resolve;
  else resolve();
  return promise;
}
