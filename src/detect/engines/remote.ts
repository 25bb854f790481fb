// A detection server elsewhere (mlapi, pyzm.serve), and an engine on this machine for the time when it does not answer.
import type { EngineSettings, RemoteSettings } from "../../domain/detect-settings.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Frame } from "../picture/frame.ts";
import type { Engine, EngineContext, EngineOptions, Finding } from "./engine.ts";
import { mlapi } from "./remote-mlapi.ts";
import { pyzm } from "./remote-pyzm.ts";
import { createRemoteServer, type RemoteProtocol } from "./remote-server.ts";

export interface RemoteDeps {
  /** Makes the fallback, when it is needed for the first time. */
  readonly createEngine: (settings: EngineSettings, options: EngineOptions) => Promise<Engine>;
  readonly clock?: Clock;
}

/** A server that failed is left alone so long where there is a fallback: else each picture would wait for its timeout. */
const REST_MS = 30_000;

const PROTOCOLS: Readonly<Record<RemoteSettings["protocol"], RemoteProtocol>> = { mlapi, pyzm };

/** Nothing is sent, and no fallback made, before `detect`. */
export async function createRemoteEngine(
  settings: RemoteSettings,
  options: EngineOptions,
  { createEngine, clock = systemClock }: RemoteDeps,
): Promise<Engine> {
  const protocol = PROTOCOLS[settings.protocol];
  const server = createRemoteServer(settings, protocol);
  const fallback = settings.fallback === null ? null : lazily(settings.fallback);
  /** Why the server is not asked at the moment, and until when. */
  let failure: { readonly reason: string; readonly until: number } | null = null;

  return {
    description: `${protocol.name} at ${server.name}`,
    labels: null,
    async detect(frame, context) {
      if (failure === null || fallback === null || clock.monotonic() >= failure.until) {
        try {
          const found = await askServer(frame, context);
          if (failure !== null)
            options.logger.info({ server: server.name }, "The detection server answers again");
          failure = null;
          return found;
        } catch (error) {
          context.signal.throwIfAborted();
          onFailure(reasonOf(error));
          if (fallback === null) throw error;
        }
      }
      return (await engineOrReason()).detect(frame, context);
    },
    async close() {
      await fallback?.close();
    },
  };

  async function askServer(
    frame: Frame,
    { signal, minConfidence }: EngineContext,
  ): Promise<readonly Finding[]> {
    const { timeoutMs } = settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    const found = await server.detect(frame, AbortSignal.any([signal, timeout])).catch((error: unknown) => {
      signal.throwIfAborted();
      throw timeout.aborted ? new Error(`${server.name} did not answer within ${timeoutMs / 1000} s`) : error;
    });
    return found.filter(({ confidence }) => confidence >= minConfidence);
  }

  /** Said when it begins, not at each picture. */
  function onFailure(reason: string): void {
    if (failure === null) {
      const what = fallback === null ? "nothing is found meanwhile" : "the engine on this machine takes over";
      options.logger.warn({ server: server.name, reason }, `The detection server does not answer; ${what}`);
    }
    failure = { reason, until: clock.monotonic() + REST_MS };
  }

  async function engineOrReason(): Promise<Engine> {
    try {
      if (fallback !== null) return await fallback.get();
      throw new Error("there is none");
    } catch (error) {
      const words = `${failure?.reason}, and the engine that should take over cannot: ${reasonOf(error)}`;
      throw new Error(words, { cause: error });
    }
  }

  function lazily(wanted: EngineSettings): { get(): Promise<Engine>; close(): Promise<void> } {
    let made: Promise<Engine> | null = null;
    return {
      async get() {
        made ??= createEngine(wanted, options);
        try {
          return await made;
        } catch (error) {
          made = null; // it may be repaired meanwhile
          throw error;
        }
      },
      async close() {
        const engine = await made?.catch(() => null);
        await engine?.close();
      },
    };
  }
}
