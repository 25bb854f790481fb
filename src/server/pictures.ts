// Pictures behind links of our own: makes the links, and answers /p/<id> after checking everything again.
import type { Alarm } from "../domain/alarm.ts";
import { hasCredentials, type PictureSettings, portalPicture, wantedPicture } from "../domain/picture.ts";
import { maySee, type Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { limitKey } from "./client-address.ts";
import type { RightsProvider } from "./login.ts";
import { type PictureTicket, readTicket, signTicket } from "./picture-ids.ts";
import { NotNow, type PictureMaker } from "./picture-maker.ts";
import { isPrivateAddress } from "./private-address.ts";
import { createRequestLimiter } from "./request-limiter.ts";

export interface PicturesOptions {
  /** Sections of the configuration, as they are. */
  readonly pictures: {
    readonly public_url: string | null;
    readonly expires_after: number;
    readonly allow_credentials_in_url: boolean;
    readonly allow_public: boolean;
  };
  readonly customize: PictureSettings;
  readonly auth: { readonly enable: boolean };
  readonly key: SigningKey;
  readonly rights: RememberedRights;
  readonly maker: PictureMaker;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface SigningKey extends Omit<Part, "name"> {
  /** What is signed with now. */
  current(): Buffer;
  /** The same, looked at anew: it may have been exchanged. Never throws. */
  refresh(): Promise<Buffer>;
}

interface RememberedRights extends RightsProvider {
  /** null: gone or disabled when it was last known; undefined: never known. */
  lastKnown(user: string): Rights | null | undefined;
  /** Brings back what an earlier run knew. */
  restore(): Promise<void>;
  /** Hands what has changed to the disk. */
  keep(): void;
}

interface PictureRequest {
  readonly id: string;
  readonly address: string;
}

type PictureAnswer =
  | { readonly status: 200; readonly bytes: Buffer }
  /** 404: whatever is wrong with it; 429: not so often. */
  | { readonly status: 404 | 429 }
  /** Nothing is wrong with the link; `reason` is a sentence. */
  | { readonly status: 503; readonly reason: string };

export interface Pictures extends Part {
  /** Whether messages carry pictures at all. */
  readonly isOn: boolean;
  /**
   * The address of the alarm's picture for this user: a link of our own where `public_url` is set, else what
   * `picture_url` says, unless that would give a password away. Null: there is none to show, or nobody whose
   * permission could be checked (a phone from an old file whose user has not logged in yet).
   */
  pictureFor(alarm: Alarm, user: string | null): string | null;
  /** Never throws. */
  answer(request: PictureRequest): Promise<PictureAnswer>;
  /** The picture of an alarm, for those who are given bytes; null when there is none. */
  jpegOf(alarm: Alarm): Promise<Buffer | null>;
}

/** Builds it; nothing runs by itself. */
export function createPictures(options: PicturesOptions): Pictures {
  const { pictures, customize, auth, key, rights, maker, clock, logger } = options;
  const base = pictures.public_url?.replace(/\/+$/, "") ?? null;
  const mayUsePortal =
    customize.picture_url !== null && (pictures.allow_credentials_in_url || !hasCredentials(customize));
  const isAllowed = createRequestLimiter(clock);

  return {
    name: "pictures",
    async start(signal) {
      await key.start(signal);
      await rights.restore();
    },
    stop() {
      rights.keep();
      return key.stop();
    },
    isOn: customize.include_picture && (base !== null || mayUsePortal),
    pictureFor(alarm, user) {
      if (!customize.include_picture) return null;
      if (base !== null) return ownLink(alarm, user);
      return mayUsePortal ? portalPicture(customize, alarm, false) : null;
    },
    async answer({ id, address }) {
      try {
        if (!isAllowed(limitKey(address))) return { status: 429 };
        if (!auth.enable && !pictures.allow_public && !isPrivateAddress(address)) return { status: 404 };
        const ticket = readTicket(id, await key.refresh());
        const refusal = ticket === null ? "it is not one of ours" : await refusalOf(ticket);
        if (ticket !== null && refusal === null) return await serve(ticket);
        logger.debug({ address, link: `/p/...${id.slice(-4)}` }, `A picture is refused: ${refusal}`);
        return { status: 404 };
      } catch (failure) {
        if (failure instanceof NotNow) {
          logger.debug({ address }, `A picture cannot be shown now: ${failure.message}`);
          return { status: 503, reason: failure.message };
        }
        logger.error({ err: failure }, "A picture could not be served");
        return { status: 404 };
      }
    },
    async jpegOf(alarm) {
      if (alarm.eventId === null) return null;
      const wanted = wantedPicture(customize.picture_url, alarm);
      return maker.make({ ...wanted, event: alarm.eventId, monitor: alarm.monitor.id });
    },
  };

  function ownLink(alarm: Alarm, user: string | null): string | null {
    if (alarm.eventId === null || (user === null && auth.enable)) return null;
    const ticket = {
      ...wantedPicture(customize.picture_url, alarm),
      event: alarm.eventId,
      monitor: alarm.monitor.id,
      user: user ?? "",
      expiresAt: Math.floor(clock.now() / 1000) + pictures.expires_after,
    };
    const id = signTicket(ticket, key.current());
    return id === null ? null : `${base}/p/${id}`;
  }

  async function serve(ticket: PictureTicket): Promise<PictureAnswer> {
    const bytes = await maker.make(ticket);
    return bytes === null ? { status: 404 } : { status: 200, bytes };
  }

  /** Null: nothing speaks against it. Throws NotNow. */
  async function refusalOf({ user, monitor, expiresAt }: PictureTicket): Promise<string | null> {
    if (clock.now() >= expiresAt * 1000) return "it has expired";
    if (auth.enable && user === "") return "it was made for nobody, when nobody had to log in";
    const known = await rightsOf(user);
    if (known === undefined) throw new NotNow(RIGHTS_UNKNOWN);
    if (known === null) return "its user is gone or disabled";
    return maySee(known, monitor) ? null : "its user may not see that monitor";
  }

  /** Asked anew for each request; while ZoneMinder's database is away, the last known rights stay. */
  async function rightsOf(user: string): Promise<Rights | null | undefined> {
    try {
      const found = (await rights.rightsOf([user])).get(user);
      if (found !== undefined) return found;
    } catch (failure) {
      logger.debug(`The rights behind a picture link cannot be read: ${reasonOf(failure)}`);
    }
    return rights.lastKnown(user);
  }
}

/** A user of ZoneMinder, whose database has not answered for as long as this server knows. */
const RIGHTS_UNKNOWN =
  "ZoneMinder's database does not answer, so it is not known what the user of this link may see.";
