// What the server needs from whoever knows the users: checking a login, and what each user may see.
import type { Rights } from "../domain/recipient.ts";

export interface LoginAttempt {
  readonly user: string;
  readonly password: string;
  /** Where it comes from, for fairness between addresses and for the log. */
  readonly address: string;
  /** Aborted when the connection closes: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export type LoginOutcome =
  | { readonly outcome: "accepted"; readonly user: string; readonly rights: Rights }
  | { readonly outcome: "refused" }
  /** The answer is not known now (database away): clients must not take it for a refusal. */
  | { readonly outcome: "unavailable" }
  | { readonly outcome: "busy" };

export interface LoginProvider {
  login(attempt: LoginAttempt): Promise<LoginOutcome>;
}

export interface RightsProvider {
  /**
   * What each of the users may see now; null: gone or disabled. A user missing from the answer, or a failure,
   * means "not known now" and changes nothing.
   */
  rightsOf(users: readonly string[]): Promise<ReadonlyMap<string, Rights | null>>;
}
