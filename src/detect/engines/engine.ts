// What an engine is: one way to find things in a picture. One file each beside this one; index.ts lists them.
import type { Detection } from "../../domain/detection.ts";
import type { Logger } from "../../lib/log.ts";
import type { Frame } from "../picture/frame.ts";

/** What an engine says, before any filter; the sequence adds type and model. Boxes in pixels of `frame.size`. */
export type Finding = Pick<Detection, "label" | "confidence" | "box">;

export interface Engine {
  /** For people: family, size, device, such as "YOLOv8, 640x640, 80 labels, CPU". */
  readonly description: string;
  /** What it can find, where that is known. */
  readonly labels: readonly string[] | null;
  /**
   * Everything it sees that has at least `minConfidence`, strongest first. Rejects with an Error whose message says
   * what to do; a broken picture or one failed run does not make the engine unusable.
   */
  detect(frame: Frame, context: EngineContext): Promise<readonly Finding[]>;
  /**
   * Decodes and scales the picture, which `detect` then finds done: other pictures can be looked at meanwhile. Never
   * rejects: what is wrong with the picture, `detect` says. Absent where nothing can be done ahead.
   */
  prepare?(frame: Frame): Promise<void>;
  /** Gives memory and processes back. */
  close(): Promise<void>;
}

export interface EngineContext {
  readonly minConfidence: number;
  /** The event's monitor and id where there are any: remote engines are told. */
  readonly monitor: number | null;
  readonly event: number | null;
  readonly signal: AbortSignal;
}

/** What every engine is built with. */
export interface EngineOptions {
  /** Threads of one inference. */
  readonly threads: number;
  /** Converted models are kept here. */
  readonly cacheFolder: string;
  readonly logger: Logger;
}
