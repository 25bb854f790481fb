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
  /** The engine of these settings, if it is loaded already. That is a use like any other. */
  loaded(settings: EngineSettings): Promise<Engine | null>;
  close(): Promise<void>;
}

/** Object, face and plates of two configurations. Each may have hundreds of megabytes. */
const MOST_ENGINES = 6;

export function createEnginePool(create: (settings: EngineSettings) => Promise<Engine>): EnginePool {
  /** By settings, the one used last at the end. */
  const places = new Map<string, Place>();

  return {
    async get(settings) {
      const key = await keyOf(settings);
      const place = places.get(key) ?? load(key, settings);
      putLast(key, place);
      await forgetOldest();
      return place.loading;
    },
    async loaded(settings) {
      const key = await keyOf(settings);
      const place = places.get(key);
      if (place === undefined || place.engine === null) return null;
      putLast(key, place);
      return place.engine;
    },
    async close() {
      await Promise.all([...places.values()].map(closeQuietly));
      places.clear();
    },
  };

  function load(key: string, settings: EngineSettings): Place {
    const place: Place = { loading: create(settings).then(closedAfterUse), engine: null };
    place.loading.then(
      (engine) => {
        place.engine = engine;
      },
      () => places.get(key) === place && places.delete(key),
    );
    return place;
  }

  function putLast(key: string, place: Place): void {
    places.delete(key);
    places.set(key, place);
  }

  async function forgetOldest(): Promise<void> {
    for (const [key, place] of places) {
      if (places.size <= MOST_ENGINES) return;
      places.delete(key);
      await closeQuietly(place);
    }
  }
}

interface Place {
  readonly loading: Promise<Engine>;
  /** Once it is loaded. */
  engine: Engine | null;
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

async function closeQuietly({ loading }: Place): Promise<void> {
  await loading.then((it) => it.close()).catch(() => undefined);
}

/** A model that was replaced by another of the same name is loaded anew. */
async function keyOf(settings: EngineSettings): Promise<string> {
  if (settings.kind !== "onnx" && settings.kind !== "darknet") return JSON.stringify(settings);
  const file = await stat(settings.weights).catch(() => null);
  return JSON.stringify([settings, file?.mtimeMs ?? 0, file?.size ?? 0]);
}
