// Darknet models (.cfg and .weights, YOLOv3 and v4): converted to ONNX at the first use, then run as such.
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { DarknetSettings } from "../../domain/detect-settings.ts";
import { reasonOf } from "../../lib/errors.ts";
import { convertedDarknet } from "../onnx/darknet-cache.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { createOnnxEngine } from "./onnx.ts";

/** Converts where that has not been done yet, and loads. Rejects with an Error that names the file and the reason. */
export async function createDarknetEngine(
  settings: DarknetSettings,
  options: EngineOptions,
): Promise<Engine> {
  const { config, weights, labels, processor } = settings;
  const { path, isNew } = await convertedDarknet({ config, weights }, options.cacheFolder);
  if (isNew)
    options.logger.info({ config, weights, converted: path }, "A Darknet model was converted to ONNX");
  const converted = {
    kind: "onnx",
    weights: path,
    labels,
    layout: "darknet",
    inputSize: null,
    processor,
  } as const;
  const engine = await createOnnxEngine(converted, options).catch(async (error: unknown) => {
    // Should the disk have spoilt it, the next try converts again.
    await rm(path, { force: true });
    throw new Error(`${weights}, converted to ONNX, cannot be used: ${reasonOf(error)}`, { cause: error });
  });
  return { ...engine, description: `${basename(config)}: ${engine.description}` };
}
