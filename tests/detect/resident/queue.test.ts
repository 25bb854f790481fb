import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJobQueue } from "../../../src/detect/resident/queue.ts";

const job = (monitor: number, event: number) => ({ monitor, event });

describe("jobs that wait", () => {
  it("are taken in the order in which they came", () => {
    const queue = createJobQueue<ReturnType<typeof job>>(10);
    for (const event of [1, 2, 3]) queue.add(job(event, event));
    expect(queue.all().map(({ event }) => event)).toEqual([1, 2, 3]);
    expect(queue.next()).toEqual(job(1, 1));
  });

  it("of the same camera give way, the oldest first", () => {
    const queue = createJobQueue<ReturnType<typeof job>>(2);
    expect([queue.add(job(1, 1)), queue.add(job(2, 2))]).toEqual([null, null]);
    expect(queue.add(job(1, 3))).toEqual(job(1, 1));
  });

  it("of the camera that has most of them give way to a camera that has none", () => {
    const queue = createJobQueue<ReturnType<typeof job>>(3);
    for (const each of [job(1, 1), job(2, 2), job(2, 3)]) queue.add(each);
    expect(queue.add(job(3, 4))).toEqual(job(2, 2));
  });

  it("keep their place when each camera has only one: the newcomer has to do without", () => {
    const queue = createJobQueue<ReturnType<typeof job>>(2);
    queue.add(job(1, 1));
    queue.add(job(2, 2));
    expect(queue.add(job(3, 3))).toEqual(job(3, 3));
  });

  it("are never more than the limit, and the newest of each camera is always among them once it got in", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 1, max: 5 })),
        (limit, monitors) => {
          const queue = createJobQueue<ReturnType<typeof job>>(limit);
          monitors.forEach((monitor, event) => {
            const before = new Set(queue.all().map((each) => each.monitor));
            const out = queue.add(job(monitor, event));
            expect(queue.size()).toBeLessThanOrEqual(limit);
            const after = new Set(queue.all().map((each) => each.monitor));
            for (const each of before) expect(after.has(each)).toBe(true);
            if (out?.event === event) expect(before.has(monitor)).toBe(false);
          });
        },
      ),
    );
  });
});
