import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createObjectConfigs } from "../../../src/config/objectconfig/kept-file.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { aFolder } from "../temporary-files.ts";
import { refusal } from "./reading-files.ts";

const section = configSchema.parse({}).detection;
const TEXT =
  "[general]\nsecrets=secrets.ini\nuse_sequence=no\nobject_weights=/m/a.onnx\nportal=http://zm\nuser=!ZM_USER\n";

it("a file is read once, and again when it or its secrets have changed", () => {
  const folder = aFolder({ "o.ini": TEXT, "secrets.ini": "[secrets]\nZM_USER=one\n" });
  const path = join(folder, "o.ini");
  const files = createObjectConfigs(section);
  const user = () => files.read(path).objectConfig.settingsFor(null).frames.portal?.user;
  expect([files.read(path).isNew, files.read(path).isNew, user()]).toEqual([true, false, "one"]);
  writeFileSync(join(folder, "secrets.ini"), "[secrets]\nZM_USER=second\n");
  expect(user()).toBe("second");
  writeFileSync(path, TEXT.replace("!ZM_USER", "third"));
  expect(user()).toBe("third");
});

it("a file that is mended is read again", () => {
  const folder = aFolder({ "o.ini": "nothing\n" });
  const path = join(folder, "o.ini");
  const files = createObjectConfigs(section);
  expect(refusal(() => files.read(path))).toMatch(/o.ini:1 expected \[section\]/);
  writeFileSync(path, "[general]\nuse_sequence=no\nobject_weights=/m/a.onnx\n");
  expect(files.read(path).isNew).toBe(true);
});

it("a file that is not there is refused", () => {
  const files = createObjectConfigs(section);
  expect(refusal(() => files.read("/nowhere/objectconfig.yml"))).toBe(
    "/nowhere/objectconfig.yml cannot be read: it does not exist",
  );
});
