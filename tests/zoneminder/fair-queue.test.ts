import { expect, it, vi } from "vitest";
import { createFairQueue } from "../../src/zoneminder/fair-queue.ts";
import { eventually } from "../support/eventually.ts";

/** A queue whose work ends when told; `order` lists what began, `refused` what was turned away. */
function setUp(places: number, capacity: number) {
  const queue = createFairQueue(places, () => capacity);
  const order: string[] = [];
  const refused: string[] = [];
  const ends: (() => void)[] = [];
  const add = (address: string, name: string) =>
    queue.add(
      address,
      () => {
        order.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
      () => void refused.push(name),
    );
  const endOne = async () => {
    const begun = order.length;
    ends.shift()?.();
    if (queue.size() > 0) await eventually(() => expect(order.length).toBe(begun + 1));
  };
  return { queue, order, refused, add, endOne };
}

it("runs no more than its places allow", () => {
  const { queue, order, add } = setUp(2, 10);
  for (const name of ["1", "2", "3"]) add("a", name);
  expect(order).toEqual(["1", "2"]);
  expect(queue.size()).toBe(1);
});

it("takes one address after the other, however much one of them asks", async () => {
  const { order, add, endOne } = setUp(1, 10);
  for (const name of ["a0", "a1", "a2", "a3"]) add("a", name);
  for (const name of ["b1", "b2"]) add("b", name);
  add("c", "c1");
  for (let i = 0; i < 6; i++) await endOne();
  expect(order).toEqual(["a0", "a1", "b1", "c1", "a2", "b2", "a3"]);
});

it("when full, turns away who has most, not who comes last", async () => {
  const { order, refused, add, endOne } = setUp(1, 3);
  for (const name of ["a0", "a1", "a2", "a3"]) add("a", name);
  add("a", "a4");
  expect(refused).toEqual(["a4"]);
  add("b", "b1");
  expect(refused).toEqual(["a4", "a3"]);
  for (let i = 0; i < 3; i++) await endOne();
  expect(order).toEqual(["a0", "a1", "b1", "a2"]);
});

it("forgets work that is taken back before it begins, and only then", async () => {
  const { queue, order, add, endOne } = setUp(1, 10);
  const begun = add("a", "a0");
  const waiting = add("a", "a1");
  add("a", "a2");
  expect([begun(), waiting(), waiting()]).toEqual([false, true, false]);
  expect(queue.size()).toBe(1);
  await endOne();
  expect(order).toEqual(["a0", "a2"]);
});

it("goes on after work that fails", async () => {
  const queue = createFairQueue(1, () => 10);
  const second = vi.fn(async () => undefined);
  queue.add("a", () => Promise.reject(new Error("broken")), vi.fn());
  queue.add("a", second, vi.fn());
  await eventually(() => expect(second).toHaveBeenCalled());
});
