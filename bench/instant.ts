// The clock of the benches: CLOCK_MONOTONIC, one and the same in all processes of a machine.

/** Milliseconds on a clock that all processes share; only differences mean something. */
export function instant(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
