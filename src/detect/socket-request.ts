// Checks what a command asks the resident detector.
import { z } from "zod";
import { type DetectRequest, parseJson } from "./socket-messages.ts";

/** The request in a line, or what is wrong with it. Never throws. */
export function parseRequest(line: string): DetectRequest | string {
  const parsed = request.safeParse(parseJson(line));
  if (!parsed.success) return `this is no request: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, " ")}`;
  const { event, file } = parsed.data;
  if ((event === null) === (file === null)) return "a request names either an event or a file";
  return parsed.data;
}

const id = z.int().positive().nullable();
const absolute = z.string().max(4096).startsWith("/").nullable();
const request = z.object({
  event: id,
  file: absolute,
  monitor: id,
  cause: z.string().max(4096),
  path: absolute,
  options: z.object({
    config: absolute,
    overrides: z.array(z.string().max(4096)).max(100),
    writesFiles: z.boolean(),
    drawTo: absolute,
    engine: z.literal("hog").optional(),
  }),
  records: z.object({ notes: z.boolean() }).optional(),
});
