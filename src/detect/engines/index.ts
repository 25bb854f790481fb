// The list of engines. Each is loaded when it is wanted: most machines need one of them.
import type { EngineSettings } from "../../domain/detect-settings.ts";
import { explained } from "../packages.ts";
import type { Engine, EngineOptions } from "./engine.ts";

/** Makes the engine that the settings describe. Rejects with an Error whose message says what to do. */
export async function createEngine(settings: EngineSettings, options: EngineOptions): Promise<Engine> {
  try {
    return await make(settings, options);
  } catch (failure) {
    throw explained(failure);
  }
}

async function make(settings: EngineSettings, options: EngineOptions): Promise<Engine> {
  switch (settings.kind) {
    case "onnx":
      return (await import("./onnx.ts")).createOnnxEngine(settings, options);
    case "darknet":
      return (await import("./darknet.ts")).createDarknetEngine(settings, options);
    case "hog":
      return (await import("./hog.ts")).createHogEngine(settings, options);
    case "remote":
      return (await import("./remote.ts")).createRemoteEngine(settings, options, { createEngine });
    case "command":
      return (await import("./command.ts")).createCommandEngine(settings, options);
    case "plates":
      return (await import("./plates.ts")).createPlateEngine(settings, options);
  }
}
