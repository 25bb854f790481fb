import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REFUSALS } from "../../src/domain/policy.ts";

const page = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
const documented = [...page.matchAll(/^\| `([a-z-]+)` \| .+ \| .+ \|$/gm)].map((match) => match[1]);

test("docs/troubleshooting.md explains every reason not to tell somebody, in the order of the tests", () => {
  expect(documented).toEqual([...REFUSALS]);
});
