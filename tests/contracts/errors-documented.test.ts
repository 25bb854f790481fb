import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AppError, errorCodes } from "../../src/lib/errors.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]);

test("every error code has its row in docs/errors.md", () => {
  expect(errorCodes.filter((code) => !documented.includes(code))).toEqual([]);
});

test("docs/errors.md names no code that does not exist", () => {
  expect(documented.filter((code) => !errorCodes.some((known) => known === code))).toEqual([]);
});

test("every error code is used somewhere", () => {
  const files = globSync("src/**/*.ts").filter((file) => !file.endsWith("lib/errors.ts"));
  const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
  expect(errorCodes.filter((code) => !source.includes(`"${code}"`))).toEqual([]);
});

test("a code is documented once", () => {
  expect(documented).toHaveLength(new Set(documented).size);
});

test.each(errorCodes)("%s has a message without a full stop and a hint with one", (code) => {
  const error = new AppError(code);
  expect(error.message).not.toMatch(/\.$/);
  expect(error.hint).toMatch(/[.!]$/);
});

test("details fill the message, and a missing one does no harm", () => {
  expect(new AppError("NETWORK_PORT_IN_USE", { port: 9000 }).message).toBe(
    "Port 9000 on {address} is in use by another program",
  );
});

test("whoever is told to type zmdc.pl is told to do it as ZoneMinder's own user", () => {
  const files = ["README.md", ...globSync("docs/**/*.md"), ...globSync("src/**/*.ts")];
  const orders = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
      .flatMap((line) => [...line.matchAll(/(?:sudo -u \S+ )?zmdc\.pl (?:re)?(?:start|stop|status)\b/g)])
      .map(([order]) => `${file}: ${order}`),
  );
  expect(orders.length).toBeGreaterThan(8);
  expect(orders.filter((order) => !/ sudo -u (?:www-data|\$\{webUser\}) zmdc/.test(order))).toEqual([]);
});
