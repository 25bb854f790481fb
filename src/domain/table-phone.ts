// A phone that is registered with ZoneMinder itself.

/** An enabled row of ZoneMinder's table Notifications (1.39.2 and later). */
export interface TablePhone {
  readonly token: string;
  readonly platform: "android" | "ios";
  /** Monitor numbers with commas; empty: every monitor. */
  readonly monitorList: string;
  /** Least seconds between two messages to this phone, whatever the monitor; 0: none. */
  readonly interval: number;
  readonly appVersion: string;
  /** null before 1.39.3, and where the app gave none. */
  readonly profile: string | null;
  readonly badge: number;
  /** ms since 1970 */
  readonly lastNotifiedAt: number | null;
  /** null: the row belongs to nobody, as those made while ZoneMinder asked for no login. */
  readonly user: string | null;
}
