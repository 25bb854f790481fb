// The engines that are loaded: one for each setting that was asked for, the least used given up when there are too many.
import { stat } from "node:fs/promises";
import type { EngineSettings } from "../../domain/detect-settings.ts";
import type { Engine } from "../engines/engine.ts";

export interface EnginePool {
  /**
   * The engine of these settings, loaded now if need be. Rejects as its creation does; the next call tries again. One that
   * is given up while it looks is closed when it has looked.
   */
  get(settings: EngineSettings): Promise<Engine>;
  close(): Promise<void>;
}

/** Object, face and plates of two configurations. Each may have hundreds of megabytes. */
const MOST_ENGINES = 6;

export function createEnginePool(create: (settings: EngineSettings) => Promise<Engine>): EnginePool {
  /** By settings, the one used last at the end. */
  const engines = new Map<string, Promise<Engine>>();

  return {
    async get(settings) {
      const key = await keyOf(settings);
      const engine = engines.get(key) ?? create(settings).then(closedAfterUse);
      engines.delete(key);
      engines.set(key, engine);
      engine.catch(() => engines.get(key) === engine && engines.delete(key));
      await forgetOldest();
      return engine;
    },
    async close() {
      await Promise.all([...engines.values()].map(closeQuietly));
      engines.clear();
    },
  };

  async function forgetOldest(): Promise<void> {
    for (const [key, engine] of engines) {
      if (engines.size <= MOST_ENGINES) return;
      engines.delete(key);
      await closeQuietly(engine);
    }
  }
}

/** Closing ends what an engine is about: a program that looks for faces must not be ended because other models are loaded. */
function closedAfterUse(engine: Engine): Engine {
  let looking = 0;
  let isGivenUp = false;
  return {
    ...engine,
    async detect(frame, context) {
      looking += 1;
      try {
        return await engine.detect(frame, context);
      } finally {
        looking -= 1;
        if (isGivenUp && looking === 0) await engine.close().catch(() => undefined);
      }
    },
    async close() {
      isGivenUp = true;
      if (looking === 0) await engine.close();
    },
  };
}

async function closeQuietly(engine: Promise<Engine>): Promise<void> {
  await engine.then((it) => it.close()).catch(() => undefined);
}

/** A model that was replaced by another of the same name is loaded anew. */
async function keyOf(settings: EngineSettings): Promise<string> {
  if (settings.kind !== "onnx" && settings.kind !== "darknet") return JSON.stringify(settings);
  const file = await stat(settings.weights).catch(() => null);
  return JSON.stringify([settings, file?.mtimeMs ?? 0, file?.size ?? 0]);
}
