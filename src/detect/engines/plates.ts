// Number plates, read by Plate Recognizer: its cloud, or its program on a machine of one's own.
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { PlateSettings } from "../../domain/detect-settings.ts";
import { askHttp, type HttpResponse, jsonOf, multipart, serverName } from "../http.ts";
import type { Frame } from "../picture/frame.ts";
import type { Engine, EngineOptions, Finding } from "./engine.ts";
import { finding, strongestFirst } from "./matched.ts";

/** A picture full of plates takes some 100 kB with all candidates. */
const ANSWER_BYTES = 4_194_304;
/** Once more after these: too many lookups in this second (free plans take one), or a fault that may have passed. */
const PASSING = new Set([429, 500, 502, 503, 504]);
/** Before the second try, where the server does not say how long; and the longest that is waited when it does. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5_000;

/** Nothing is sent before `detect`. Labels are "alpr:" and the plate as it is given. */
export async function createPlateEngine(settings: PlateSettings, _options: EngineOptions): Promise<Engine> {
  const url = readerUrl(settings.url);
  return {
    description: `Plate Recognizer at ${serverName(url)}`,
    labels: null,
    async detect(frame, { minConfidence, signal }) {
      const { timeoutMs } = settings;
      const timeout = AbortSignal.timeout(timeoutMs);
      const both = AbortSignal.any([signal, timeout]);
      const response = await upload(url, settings, frame, both).catch((error: unknown) => {
        signal.throwIfAborted();
        throw timeout.aborted
          ? new Error(`${serverName(url)} did not answer within ${timeoutMs / 1000} s`)
          : error;
      });
      return read(url, response, settings, frame).filter(({ confidence }) => confidence >= minConfidence);
    },
    async close() {},
  };
}

function readerUrl(text: string): URL {
  const base = text.replace(/\/+$/, "").replace(/\/plate-reader$/, "");
  const url = URL.canParse(base) ? new URL(`${base}/plate-reader/`) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new Error("The address of the plate reader (alpr_url) is not an http:// or https:// URL");
}

async function upload(
  url: URL,
  settings: PlateSettings,
  frame: Frame,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { headers, body } = await multipart(await formOf(settings, frame));
  const all = settings.key === null ? headers : { ...headers, authorization: `Token ${settings.key}` };
  const post = (): Promise<HttpResponse> =>
    askHttp({
      url,
      method: "POST",
      headers: all,
      body,
      maxBytes: ANSWER_BYTES,
      allowSelfSigned: false,
      signal,
    });
  const response = await post();
  const wait = PASSING.has(response.status) ? retryMs(response) : null;
  if (wait === null) return response;
  try {
    await pause(wait, undefined, { signal });
  } catch {
    // The time is up: what it said is more than that it did not answer.
    return response;
  }
  return post();
}

/** Fields of the payload as they are; lists as several fields of one name; the rest, as config, in JSON. */
async function formOf({ regions, payload, config }: PlateSettings, frame: Frame): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(payload ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) form.append(name, fieldText(item));
  }
  for (const region of regions) form.append("regions", region);
  if (config !== null) form.set("config", JSON.stringify(config));
  form.set("upload", new Blob([Buffer.from(await frame.jpeg())], { type: "image/jpeg" }), "picture.jpg");
  return form;
}

function fieldText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Retry-After in seconds (RFC 9110, 10.2.3; a date is not worth understanding here); null when it is too long to wait. */
function retryMs({ headers }: HttpResponse): number | null {
  const seconds = Number(headers["retry-after"]);
  if (seconds * 1000 > LONGEST_RETRY_MS) return null;
  return seconds > 0 ? seconds * 1000 : RETRY_MS;
}

const coordinate = z.number();
const answer = z.object({
  results: z.array(
    z.object({
      plate: z.string(),
      score: z.number().nullish(),
      dscore: z.number().nullish(),
      box: z.object({ xmin: coordinate, ymin: coordinate, xmax: coordinate, ymax: coordinate }),
    }),
  ),
});

function read(
  url: URL,
  response: HttpResponse,
  settings: PlateSettings,
  { size }: Frame,
): readonly Finding[] {
  // 201 from the cloud, 200 from the program.
  if (response.status !== 200 && response.status !== 201) throw new Error(refusal(url, response));
  const parsed = answer.safeParse(jsonOf(response));
  if (!parsed.success)
    throw new Error(`${serverName(url)} answered in a form that is not Plate Recognizer's: check alpr_url`);
  const sure = parsed.data.results.filter(
    ({ score, dscore }) => (dscore ?? 0) >= settings.minDetectionScore && (score ?? 0) >= settings.minScore,
  );
  return strongestFirst(
    sure.flatMap(({ plate, score, box }) =>
      finding(`alpr:${plate}`, score ?? 0, [box.xmin, box.ymin, box.xmax, box.ymax], size),
    ),
  );
}

const HINTS: Readonly<Record<number, string>> = {
  401: "it wants a key: set alpr_key",
  402: "the lookups that were paid for are used up",
  403: "it does not accept the key: check alpr_key, and whether lookups are left",
  404: "is alpr_url the address before /plate-reader?",
  413: "the picture is too large: set resize",
  429: "too many lookups at once for this plan",
};

function refusal(url: URL, response: HttpResponse): string {
  const { status } = response;
  const said = complaint.safeParse(jsonOf(response));
  const words = said.success ? ` (${said.data.detail.slice(0, 200)})` : "";
  const hint = HINTS[status];
  return `${serverName(url)} answered ${status}${words}${hint === undefined ? "" : `: ${hint}`}`;
}

const complaint = z.object({ detail: z.string() });
