import { expect, test } from "vitest";
import { controlOf, NO_ORDERS, withOrder } from "../../src/domain/control.ts";
import { mid } from "../support/builders.ts";

const muted = { control: "muted", until: null } as const;

test("without an order everything is as usual", () => {
  expect(controlOf(NO_ORDERS, mid(1), 0)).toBe("default");
});

test("an order holds for its monitors only, until another one or none takes its place", () => {
  const both = withOrder(NO_ORDERS, [mid(1), mid(2)], muted, 0);
  const one = withOrder(both, [mid(2)], { control: "forced", until: null }, 0);
  const none = withOrder(one, [mid(1)], null, 0);
  expect([1, 2, 3].map((id) => controlOf(one, mid(id), 9e15))).toEqual(["muted", "forced", "default"]);
  expect(controlOf(none, mid(1), 0)).toBe("default");
  expect(controlOf(both, mid(2), 0)).toBe("muted");
});

test("an order with an end is over from that moment on, and forgotten with the next one", () => {
  const state = withOrder(NO_ORDERS, [mid(1)], { control: "muted", until: 1000 }, 0);
  expect(controlOf(state, mid(1), 999)).toBe("muted");
  expect(controlOf(state, mid(1), 1000)).toBe("default");
  expect(withOrder(state, [mid(2)], muted, 1000).has(mid(1))).toBe(false);
});
