// Keeps the last picture of each camera on the broker: one is read at a time per camera, and only the newest counts.
import type { Alarm } from "../../domain/alarm.ts";
import type { MonitorId } from "../../domain/monitor.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";

export interface PicturesDeps {
  /** JPEG bytes; null when there is none. */
  readonly read: (alarm: Alarm) => Promise<Buffer | null>;
  readonly put: (monitor: MonitorId, picture: Buffer) => void;
  readonly logger: Logger;
}

export interface Pictures {
  /** Reads the picture of the alarm and puts it on the broker; returns at once, never throws. */
  show(alarm: Alarm): void;
}

/** What brokers take without being asked for more, and far more than a picture made for a phone. */
const LARGEST_BYTES = 1_000_000;

export function createPictures({ read, put, logger }: PicturesDeps): Pictures {
  const reading = new Set<MonitorId>();
  const next = new Map<MonitorId, Alarm>();

  return {
    show(alarm) {
      next.set(alarm.monitor.id, alarm);
      void readAll(alarm.monitor.id);
    },
  };

  async function readAll(monitor: MonitorId): Promise<void> {
    if (reading.has(monitor)) return;
    reading.add(monitor);
    for (let alarm = next.get(monitor); alarm !== undefined; alarm = next.get(monitor)) {
      next.delete(monitor);
      await readOne(alarm);
    }
    reading.delete(monitor);
  }

  async function readOne(alarm: Alarm): Promise<void> {
    try {
      const picture = await read(alarm);
      if (picture === null) return;
      if (picture.length <= LARGEST_BYTES) put(alarm.monitor.id, picture);
      else
        logger.warn(`The picture of event ${alarm.eventId} is too large for MQTT: ${picture.length} bytes`);
    } catch (failure) {
      logger.debug(`There is no picture of event ${alarm.eventId} for MQTT: ${reasonOf(failure)}`);
    }
  }
}
