import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseZmConf, readZmConf } from "../../src/zoneminder/zm-conf.ts";

describe("the lines of zm.conf", () => {
  const cases: readonly [string, string, Record<string, string>][] = [
    ["are split at the first equals sign", "ZM_DB_PASS=a=b=c", { ZM_DB_PASS: "a=b=c" }],
    ["lose blanks around key and value", " \tZM_DB_HOST \t=  db.lan \t", { ZM_DB_HOST: "db.lan" }],
    ["keep what looks like an inline comment", "ZM_DB_PASS=pa#ss;word # x", { ZM_DB_PASS: "pa#ss;word # x" }],
    ["lose runs of quotes, paired or not", `ZM_DB_PASS="''secret'`, { ZM_DB_PASS: "secret" }],
    ["keep blanks inside quotes", `ZM_PATH_ARP="/bin/ip neigh "`, { ZM_PATH_ARP: "/bin/ip neigh " }],
    ["are read in any case", "zm_db_name=cams", { ZM_DB_NAME: "cams" }],
    ["may be commented out after blanks", "  # ZM_DB_NAME=cams\n\n", {}],
    ["need an equals sign", "ZM_DB_NAME cams", {}],
    ["need a name without blanks", "ZM DB=cams\n=cams", {}],
    ["may be empty", "ZM_SERVER_HOST=", { ZM_SERVER_HOST: "" }],
    ["may end in CRLF", "ZM_DB_NAME=cams\r\nZM_DB_USER=u\r\n", { ZM_DB_NAME: "cams", ZM_DB_USER: "u" }],
    ["win over earlier ones", "ZM_DB_NAME=a\nZM_DB_NAME=b", { ZM_DB_NAME: "b" }],
    ["keep a no-break space at the end", "ZM_DB_PASS=x\u00a0", { ZM_DB_PASS: "x\u00a0" }],
    [
      "are joined by a trailing backslash",
      "ZM_DIR_EVENTS=/a/\\\n   b\nZM_X=1",
      { ZM_DIR_EVENTS: "/a/b", ZM_X: "1" },
    ],
    [
      "keep the backslash that ends a password",
      "ZM_DB_PASS=abc\\\nZM_DB_USER=u\nZM_A=b\\\n\n# x\nZM_C=d\\",
      { ZM_DB_PASS: "abc\\", ZM_DB_USER: "u", ZM_A: "b\\", ZM_C: "d\\" },
    ],
    ["keep letters of every language", "ZM_DB_PASS=pässwörd", { ZM_DB_PASS: "pässwörd" }],
  ];
  it.each(cases)("%s", (_name, text, expected) => {
    expect(Object.fromEntries(parseZmConf(text))).toEqual(expected);
  });

  it("never throw, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseZmConf(text)));
    const pieces = fc.constantFrom("ZM_A", "=", "\\", "\n", "\r", '"', "'", "#", " ", "x");
    fc.assert(fc.property(fc.array(pieces), (text) => void parseZmConf(text.join(""))));
  });
});

describe("reading zm.conf and conf.d", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-conf-"));
    writeFileSync(join(folder, "zm.conf"), "ZM_DB_NAME=base\nZM_DB_USER=base\n");
    mkdirSync(join(folder, "conf.d"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(folder, "conf.d", name), text);

  it("lets the last file in byte order win", () => {
    write("b.conf", "ZM_DB_NAME=b");
    write("Z.conf", "ZM_DB_NAME=Z\nZM_DB_USER=Z");
    write(".hidden.conf", "ZM_DB_NAME=hidden");
    write("z.conf.dpkg-old", "ZM_DB_NAME=old");
    mkdirSync(join(folder, "conf.d", "folder.conf"));
    const result = readZmConf(join(folder, "zm.conf"));
    expect(result).toMatchObject({ ok: true });
    if (!result.ok) return;
    expect(result.conf.values.get("ZM_DB_NAME")).toBe("b");
    expect(result.conf.values.get("ZM_DB_USER")).toBe("Z");
    expect(result.conf.files.map((file) => file.slice(folder.length))).toEqual([
      "/zm.conf",
      "/conf.d/Z.conf",
      "/conf.d/b.conf",
    ]);
  });

  it("does without conf.d, as ZoneMinder 1.30 has none", () => {
    rmSync(join(folder, "conf.d"), { recursive: true });
    expect(readZmConf(join(folder, "zm.conf"))).toMatchObject({ ok: true });
  });

  it("says which file is missing and where it may be", () => {
    const result = readZmConf(join(folder, "nowhere.conf"));
    expect(result.ok ? "" : result.problem).toMatch(
      /nowhere\.conf: there is no such file.*zoneminder\.config/,
    );
  });

  it("names the group to join when it may not read", () => {
    chmodSync(join(folder, "zm.conf"), 0o000);
    const result = asNobody(() => readZmConf(join(folder, "zm.conf")));
    expect(result.ok ? "" : result.problem).toMatch(/zm\.conf: permission denied.*www-data/);
  });

  it("says that a folder is no file", () => {
    const result = readZmConf(join(folder, "conf.d"));
    expect(result.ok ? "" : result.problem).toMatch(/it is a folder/);
  });

  // Root reads every file, so the effective user changes for the moment of reading.
  function asNobody<T>(read: () => T): T {
    if (process.geteuid?.() !== 0) return read();
    chmodSync(folder, 0o755);
    process.seteuid?.(65534);
    try {
      return read();
    } finally {
      process.seteuid?.(0);
    }
  }
});
