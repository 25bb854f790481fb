// What push needs of whoever knows the phones.
import type { Device } from "../../domain/device.ts";
import type { DurableRecipient, NoticeId, RecipientId } from "../../domain/notice.ts";
import type { LastKnownRights } from "../../domain/recipient.ts";

export interface PushDevices {
  /** False until it was read who is registered: a phone that is not found until then may be there all the same. */
  isRead(): boolean;
  /** Also a phone that has push switched off. */
  find(id: RecipientId): Device | null;
  /** Those that have it switched on, with their rights as they are now; cheap to ask at each alarm. */
  recipients(): readonly DurableRecipient[];
  /** What its user may see now; nothing for a phone that is not known. */
  rightsOf(id: RecipientId): LastKnownRights;
  /** The number for the app's icon; the same again when a notice is tried again. */
  takeBadge(id: RecipientId, notice: NoticeId): number;
  noteDelivered(id: RecipientId, notice: NoticeId): void;
  /** `reason`: without secrets. */
  noteFailed(id: RecipientId, reason: string): void;
  /** The phone no longer exists: it is forgotten everywhere at once. */
  forget(id: RecipientId, why: string): void;
}
