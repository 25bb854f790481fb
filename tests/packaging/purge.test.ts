/** The script that runs when the package is purged, with paths of a folder in place of the machine's. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "zmes-purge-"));
  chmodSync(root, 0o755);
  for (const folder of ["etc/zm", "etc/other", "var/lib/zmes", "var/lib/zmeventnotification/tls"])
    mkdirSync(join(root, folder), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const data = () => join(root, "var/lib/zmeventnotification");

function purge(...made: readonly string[]): void {
  writeFileSync(join(root, "var/lib/zmes/made-files"), made.map((line) => `${line}\n`).join(""));
  const script = readFileSync(join(import.meta.dirname, "../../packaging/debian/postrm"), "utf8")
    .replaceAll("/var/lib/", `${root}/var/lib/`)
    .replaceAll("/etc/systemd", `${root}/etc/systemd`)
    .replaceAll("/run/systemd/system", `${root}/run`);
  const { status, stderr } = spawnSync("sh", ["-s", "purge"], { input: script, encoding: "utf8" });
  expect({ status, stderr }).toMatchObject({ status: 0 });
}

describe.skipIf(process.getuid?.() !== 0)("purging", () => {
  test("takes what was made, and leaves what people put beside it", () => {
    writeFileSync(join(root, "etc/zm/zmes.yml"), "x");
    for (const name of ["zmes.db", "zmes.db.backup", "mine.jpg", "tls/server.key"])
      writeFileSync(join(data(), name), "x");
    for (const name of ["", "tls", "zmes.db", "zmes.db.backup", "mine.jpg", "tls/server.key"])
      chownSync(join(data(), name), 33, 33);
    purge(
      `file ${root}/etc/zm/zmes.yml`,
      `dir ${data()}`,
      `dir ${data()}/tls`,
      `file ${data()}/tls/server.key`,
    );
    expect(readdirSync(join(root, "etc/zm"))).toEqual([]);
    expect(readdirSync(data())).toEqual(["mine.jpg"]);
    expect(existsSync(join(root, "var/lib/zmes"))).toBe(false);
  });

  test("follows no link of the server's user to files of others", () => {
    for (const name of ["server.key", "tokens.txt"]) writeFileSync(join(root, "etc/other", name), "precious");
    rmSync(join(data(), "tls"), { recursive: true });
    symlinkSync(join(root, "etc/other"), join(data(), "tls"));
    symlinkSync(join(root, "etc/other"), join(data(), "push"));
    chownSync(data(), 33, 33);
    purge(`dir ${data()}`, `dir ${data()}/tls`, `file ${data()}/tls/server.key`);
    expect(readdirSync(join(root, "etc/other")).sort()).toEqual(["server.key", "tokens.txt"]);
  });
});
