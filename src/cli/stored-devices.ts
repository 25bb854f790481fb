// The registered phones as their file has them, for commands beside the server. Only reads.
import type { Config } from "../config/schema.ts";
import type { Device } from "../domain/device.ts";
import { reasonOf } from "../lib/errors.ts";
import { deviceFrom } from "../store/device-entry.ts";
import { readText } from "../store/json-file.ts";
import { parseTokenFile } from "../store/token-file.ts";

/** The phones, or what is wrong with the file; an old or damaged one stays as it is. `now` in ms since 1970. */
export async function readStoredDevices(
  { fcm, devices: { adopt_days } }: Config,
  now: number,
): Promise<readonly Device[] | string> {
  try {
    const content = await readText(fcm.token_file);
    const parsed = parseTokenFile(content?.text ?? "");
    if (parsed.format === "damaged") return `${fcm.token_file}: the token file is damaged: ${parsed.problem}`;
    return [...parsed.entries].map(([token, entry]) => deviceFrom(token, entry, now, adopt_days * DAY_MS));
  } catch (failure) {
    return `${fcm.token_file}: ${reasonOf(failure)}`;
  }
}

const DAY_MS = 86_400_000;
