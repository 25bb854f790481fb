import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NewerFormatError, openDatabase } from "../../src/store/database.ts";
import { migrations } from "../../src/store/migrations.ts";

let directory = "";
const file = (): string => path.join(directory, "zmes.db");
const next = [...migrations, "ALTER TABLE marks ADD COLUMN note TEXT;"];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-database-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("an older file is copied first, then brought up to date with everything in it", () => {
  const old = openDatabase(file());
  old.exec("INSERT INTO marks VALUES (1, 2, 3, 4, 1)");
  old.close();
  const migrated = openDatabase(file(), next);
  expect(migrated.prepare("SELECT monitor, event, note FROM marks").all()).toEqual([
    { monitor: 1, event: 2, note: null },
  ]);
  migrated.close();
  const copy = `${file()}.before-format-${next.length}`;
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const kept = openDatabase(copy);
  expect(kept.prepare("SELECT * FROM marks").all()).toEqual([
    { monitor: 1, event: 2, edge: 3, at: 4, open: 1 },
  ]);
  kept.close();
});

test("a step that fails leaves the file in its old form", () => {
  openDatabase(file()).close();
  expect(() =>
    openDatabase(file(), [...migrations, "CREATE TABLE more (id INTEGER); SELECT nonsense;"]),
  ).toThrow();
  const again = openDatabase(file());
  expect(again.prepare("SELECT name FROM sqlite_schema WHERE name = 'more'").all()).toEqual([]);
  again.close();
});

test("the program of before refuses the new file", () => {
  openDatabase(file(), next).close();
  expect(() => openDatabase(file())).toThrow(NewerFormatError);
});

test("a new file leaves nothing beside it once closed", () => {
  openDatabase(file()).close();
  expect(readdirSync(directory)).toEqual(["zmes.db"]);
});
