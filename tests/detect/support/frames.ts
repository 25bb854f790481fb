// A picture of one color as engines get it.
import sharp from "sharp";
import type { EngineContext } from "../../../src/detect/engines/engine.ts";
import { type Frame, openFrame } from "../../../src/detect/picture/frame.ts";

export async function plainFrame({ width = 320, height = 160 } = {}): Promise<Frame> {
  const file = await sharp({ create: { width, height, channels: 3, background: "#204060" } })
    .jpeg()
    .toBuffer();
  return openFrame(file, "snapshot", { resizeWidth: null, label: "drawn" });
}

export function aContext(change: Partial<EngineContext> = {}): EngineContext {
  return { minConfidence: 0, monitor: 3, event: 17, signal: new AbortController().signal, ...change };
}
