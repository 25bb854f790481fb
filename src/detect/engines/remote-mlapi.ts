// The protocol of mlapi, the detection server of version 6.
import { z } from "zod";
import type { Frame } from "../picture/frame.ts";
import type { Finding } from "./engine.ts";
import { finding, readMatched, strongestFirst } from "./matched.ts";
import type { RemoteProtocol } from "./remote-server.ts";

export const mlapi: RemoteProtocol = {
  name: "mlapi",
  loginPath: "/login",
  detectPath: "/detect/object?type=object&delete=True&response_format=zm_detect",
  // The original's ml_gateway ends with it; without a path it is what was meant.
  base: (url) => (URL.canParse(url) && new URL(url).pathname === "/" ? `${url}/api/v1` : url),
  needsLogin: true,
  read: (answer, frame) => {
    const parsed = current.safeParse(answer);
    return parsed.success ? readMatched(parsed.data.matched_data, frame.size) : readLegacy(answer, frame);
  },
  hint: (status, words) =>
    status === 400 && words.includes("stream options")
      ? "set stream_sequence in mlapiconfig.ini, pictures that are sent need it"
      : null,
};

const current = z.object({ matched_data: z.unknown() });

/** Of servers that do not know response_format, or give it another name. Confidence is "97.36%". */
const legacy = z
  .array(
    z.object({
      label: z.string(),
      confidence: z.string().regex(/^\d+(\.\d+)?%$/),
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    }),
  )
  .max(1_000);

function readLegacy(answer: unknown, { size }: Frame): readonly Finding[] | null {
  const parsed = legacy.safeParse(answer);
  if (!parsed.success) return null;
  const found = parsed.data.flatMap(({ label, confidence, box }) =>
    finding(label, Number.parseFloat(confidence) / 100, box, size),
  );
  return strongestFirst(found);
}
