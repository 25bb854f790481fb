// What glibc is told about the memory of our own processes, and of no others.

/**
 * Without a limit of arenas it keeps half as much memory again for threads that come and go; without a threshold of its own, which
 * is its usual 128 KiB, it takes freed pictures for something that it should keep (mallopt(3), M_MMAP_THRESHOLD).
 */
export const FRUGAL = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" };

/** For the process that was started with it: the programs it runs have habits of their own, and some need fifteen times as long so. */
export function keepFrugalityFromChildren(): void {
  for (const name of Object.keys(FRUGAL)) delete process.env[name];
}
