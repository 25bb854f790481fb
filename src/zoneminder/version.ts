// ZoneMinder's version numbers: parsing and comparing. Everything that differs between releases asks here.

export interface ZmVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * Reads "1.36.33" (also "1.36.33~deb12", "v1.38.0"); null when it does not begin with three numbers.
 * 1.36.63 is a mis-typed tag of a 1.37.63 tree and is read as that.
 */
export function parseVersion(text: string): ZmVersion | null {
  const match = /^\s*v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(text);
  if (!match) return null;
  const [major, minor, patch] = match.slice(1).map(Number) as [number, number, number];
  if (major === 1 && minor === 36 && patch === 63) return { major: 1, minor: 37, patch: 63 };
  return { major, minor, patch };
}

/** True when `version` is the given release or a later one. */
export function isAtLeast(version: ZmVersion, major: number, minor: number, patch: number): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}

/** True when both are the same release, or both are unknown. */
export function isSameVersion(a: ZmVersion | null, b: ZmVersion | null): boolean {
  if (a === null || b === null) return a === b;
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch;
}

export function formatVersion(version: ZmVersion): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}
