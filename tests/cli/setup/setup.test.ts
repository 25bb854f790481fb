/** `zmes setup` in a folder that stands for the machine; root or not. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderUnicodeCompact } from "uqr";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { provideCertificate } from "../../../src/cli/setup/certificate.ts";
import { readSetupOptions } from "../../../src/cli/setup/options.ts";
import { findUser, ownedFiles } from "../../../src/cli/setup/owned-files.ts";
import { noQuestions, type Questions } from "../../../src/cli/setup/questions.ts";
import { setUp } from "../../../src/cli/setup.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { testIo } from "../../support/command-io.ts";

const isRoot = process.getuid?.() === 0;
let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "zmes-setup-"));
  // As "/" is: the server's user comes through.
  chmodSync(root, 0o755);
  mkdirSync(join(root, "etc/zm"), { recursive: true });
  mkdirSync(join(root, "var"));
  writeFileSync(join(root, "etc/zm/zm.conf"), "ZM_WEB_USER=www-data\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const target = () => join(root, "etc/zm/zmes.yml");
const data = () => join(root, "var/zmes");
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
const ownerOf = (file: string) => execFileSync("stat", ["-c", "%U:%G", file], { encoding: "utf8" }).trim();

interface Done {
  readonly code: number;
  readonly out: string;
  /** What doctor was to look at. */
  readonly looked: readonly (string | null)[];
}

async function run(argv: readonly string[], questions: Questions = noQuestions()): Promise<Done> {
  const usual = [
    "--config",
    target(),
    "--data",
    data(),
    "--name",
    "zm.example.org",
    "--name",
    "192.168.1.10",
  ];
  const options = readSetupOptions([...usual, ...argv]);
  if (typeof options === "string") throw new Error(options);
  const io = testIo({ ZMES_MADE_FILES: join(root, "made-files") });
  const looked: (string | null)[] = [];
  const doctor = async (file: string | null) => {
    looked.push(file);
    return 0;
  };
  const code = await setUp({ options, questions, root, doctor }, io);
  return { code, out: io.out(), looked };
}

/** Answers by what is asked; anything else takes what is offered. */
function answering(answers: Readonly<Record<string, string>>): Questions {
  const find = (question: string) => Object.entries(answers).find(([part]) => question.includes(part))?.[1];
  const none = noQuestions();
  return {
    isAsking: true,
    text: async (question, preset, fault) => {
      const answer = find(question) ?? preset;
      expect(fault?.(answer) ?? null).toBeNull();
      return answer;
    },
    yes: async (question, preset) => (find(question) ?? (preset ? "y" : "n")) === "y",
    choose: async (question, choices) => {
      const wanted = find(question);
      const chosen = choices.find(({ label }) => wanted !== undefined && label.includes(wanted));
      return chosen ? chosen.value : none.choose(question, choices);
    },
    secret: async (question) => find(question) ?? "",
  };
}

test("with --yes there is a configuration with which the server can start, and doctor looks at it", async () => {
  const { code, out, looked } = await run(["--yes"]);
  expect(code).toBe(0);
  const { config, problems } = loadConfig({ path: target() });
  expect(problems).toEqual([]);
  expect(config.ssl).toEqual({
    enable: true,
    cert: join(data(), "tls/server.pem"),
    key: join(data(), "tls/server.key"),
  });
  expect(config.zoneminder.config).toBe(join(root, "etc/zm/zm.conf"));
  expect(looked).toEqual([target()]);
  expect(out).toContain("wss://zm.example.org:9000");
});

test("what to type is printed with a code to scan, and the fingerprint that the phone shows", async () => {
  const { out } = await run(["--yes"]);
  expect(out).toMatch(/Host +zm\.example\.org +\(also reached as 192\.168\.1\.10\)/);
  expect(out).toContain(renderUnicodeCompact("wss://zm.example.org:9000", { border: 2 }));
  const [, shown] = execFileSync(
    "openssl",
    ["x509", "-in", join(root, "etc/zm/zmes-ca.crt"), "-noout", "-fingerprint", "-sha256"],
    { encoding: "utf8" },
  ).split("=");
  expect(out.replace(/\s/g, "")).toContain(shown?.trim() ?? "nothing");
});

test("keys are for those who need them: the authority's for its owner alone, the server's for the server", async () => {
  await run(["--yes"]);
  expect(modeOf(join(root, "etc/zm/zmes-ca.key"))).toBe("400");
  expect(modeOf(join(root, "etc/zm/zmes-ca.crt"))).toBe("644");
  expect(modeOf(target())).toBe("640");
  expect(modeOf(join(data(), "tls/server.key"))).toBe("600");
  expect(modeOf(data())).toBe("750");
  if (!isRoot) return;
  expect(ownerOf(join(root, "etc/zm/zmes-ca.key"))).toBe("root:root");
  expect(ownerOf(target())).toBe("root:www-data");
  expect(ownerOf(join(data(), "tls/server.key"))).toBe("www-data:www-data");
});

test("run twice, nothing that is there is changed", async () => {
  await run(["--yes"]);
  const before = snapshot();
  const { code, out } = await run(["--yes"]);
  expect(code).toBe(0);
  expect(out).toContain("stays as it is");
  expect(snapshot()).toEqual(before);
});

test("--force writes the configuration anew, keeps the one before, and the certificate stays", async () => {
  await run(["--yes"]);
  writeFileSync(target(), "network:\n  port: 9001\n");
  const cert = readFileSync(join(data(), "tls/server.pem"));
  await run(["--yes", "--force"]);
  expect(readFileSync(`${target()}.before-setup`, "utf8")).toContain("9001");
  expect(readFileSync(join(data(), "tls/server.pem"))).toEqual(cert);
  await run(["--yes", "--force"]);
  expect(existsSync(`${target()}.before-setup-2`)).toBe(true);
});

test("another name gets a certificate of the same server key, and the authority that could not sign for it is kept", async () => {
  await run(["--yes"]);
  const key = readFileSync(join(data(), "tls/server.key"));
  const { out } = await run(["--renew-certificate", "--name", "zm2.example.org"]);
  expect(readFileSync(join(data(), "tls/server.key"))).toEqual(key);
  expect(out).toContain("each phone has to be given the new one");
  expect(
    readdirSync(join(root, "etc/zm")).filter((name) => name.startsWith("zmes-ca.crt.until-")),
  ).toHaveLength(1);
  const check = [
    "verify",
    "-CAfile",
    join(root, "etc/zm/zmes-ca.crt"),
    "-verify_hostname",
    "zm2.example.org",
  ];
  expect(spawnSync("openssl", [...check, join(data(), "tls/server.pem")]).status).toBe(0);
});

test("renewed for the same names, the authority stays, and phones need nothing new", async () => {
  await run(["--yes"]);
  const authority = readFileSync(join(root, "etc/zm/zmes-ca.crt"));
  const before = readFileSync(join(data(), "tls/server.pem"));
  const { out } = await run(["--renew-certificate"]);
  expect(readFileSync(join(root, "etc/zm/zmes-ca.crt"))).toEqual(authority);
  expect(readFileSync(join(data(), "tls/server.pem"))).not.toEqual(before);
  expect(out).toContain("A running server takes it up");
});

test("an original is imported with --yes, and its own file stays as it is", async () => {
  const ini = join(root, "etc/zm/zmeventnotification.ini");
  const text = "[network]\nport = 9005\n[ssl]\nenable = no\n";
  writeFileSync(ini, text);
  const { looked, out } = await run(["--yes", "--mqtt", "broker.example.org", "--port", "9007"]);
  expect(out).toContain(`Not used: --name, --port, --mqtt. These settings are in ${target()}.`);
  expect(readFileSync(ini, "utf8")).toBe(text);
  expect(loadConfig({ path: target() }).config.network.port).toBe(9005);
  expect(looked).toEqual([target()]);
  expect(out).toMatch(/SSL +off/);
});

test("who wants to go on with the original's file gets no configuration that hides it", async () => {
  const ini = join(root, "etc/zm/zmeventnotification.ini");
  writeFileSync(ini, "[ssl]\nenable = no\n");
  const { looked } = await run([], answering({ "What shall zmes use": "Go on with" }));
  expect(existsSync(target())).toBe(false);
  expect(looked).toEqual([ini]);
});

test("who wants to begin anew beside an original may", async () => {
  writeFileSync(join(root, "etc/zm/zmeventnotification.ini"), "[ssl]\nenable = no\n");
  await run([], answering({ "What shall zmes use": "Begin anew" }));
  expect(existsSync(target())).toBe(true);
});

test("the built-in detector is off when nobody wants it, with --yes as well", async () => {
  await run(["--yes"]);
  expect(loadConfig({ path: target() }).config.detection.enable).toBe(false);
});

test("with --detection yes it is on, and the lines that lead to a model are in the file and on the screen", async () => {
  const { out } = await run(["--yes", "--detection", "yes"]);
  const { config, problems } = loadConfig({ path: target() });
  expect([config.detection.enable, problems]).toEqual([true, []]);
  expect(readFileSync(target(), "utf8")).toMatch(
    /^#.*zmes models add .*\n(#.*\n)*detection:\n {2}enable: yes\n/m,
  );
  expect(out).toContain("zmes models add");
});

test("who is asked and says yes has it on", async () => {
  const { out } = await run([], answering({ "built-in detector": "y" }));
  expect(loadConfig({ path: target() }).config.detection.enable).toBe(true);
  expect(out).toContain("zmes models add");
});

test("secrets that were typed go into a file of their own, and nothing prints them", async () => {
  const { out } = await run(
    [],
    answering({
      "Publish alarms by MQTT": "y",
      "The broker": "mqtts://broker.example.org",
      "Its user": "zm",
      "Its password": "mqtt-secret",
      "Is there one": "push proxy",
      "Address of the push proxy": "https://push.example.org/send",
      "Its key": "relay-secret",
    }),
  );
  expect(out).not.toMatch(/mqtt-secret|relay-secret/);
  expect(readFileSync(target(), "utf8")).not.toMatch(/mqtt-secret|relay-secret/);
  expect(modeOf(join(root, "etc/zm/zmes-secrets.yml"))).toBe("640");
  const { config, problems } = loadConfig({ path: target() });
  expect(problems).toEqual([]);
  expect(config.mqtt).toMatchObject({ enable: true, username: "zm", password: "mqtt-secret" });
  expect(config.fcm.fcm_v1_key).toBe("relay-secret");
});

test("the login at the broker comes from the command line without its password", async () => {
  const file = join(root, "broker-password");
  writeFileSync(file, "sec ret\n");
  const mqtt = ["--mqtt", "broker.example.org", "--mqtt-user", "zm", "--mqtt-password-file", file];
  const { out } = await run(["--yes", ...mqtt]);
  expect(out).not.toContain("sec ret");
  expect(readFileSync(target(), "utf8")).not.toContain("sec ret");
  expect(modeOf(join(root, "etc/zm/zmes-secrets.yml"))).toBe("640");
  const { config, problems } = loadConfig({ path: target() });
  expect(problems).toEqual([]);
  expect(config.mqtt).toMatchObject({ enable: true, username: "zm", password: "sec ret" });
});

test("who names the broker's user and no file with the password is asked for it", async () => {
  const mqtt = ["--mqtt", "broker.example.org", "--mqtt-user", "zm"];
  await run(mqtt, answering({ "Its password": "typed" }));
  expect(loadConfig({ path: target() }).config.mqtt).toMatchObject({ username: "zm", password: "typed" });
});

test("a login at the broker that cannot be used is refused before anything is done", () => {
  const file = join(root, "broker-password");
  const read = (...argv: string[]) => readSetupOptions(["--mqtt", "broker", ...argv]);
  const full = ["--mqtt-user", "zm", "--mqtt-password-file", file];
  expect(read(...full)).toMatch(/broker-password cannot be read: ENOENT/);
  writeFileSync(file, "\n");
  expect(read(...full)).toContain("is empty");
  writeFileSync(file, "user: zm\nword: secret\n");
  expect(read(...full)).toMatch(/^(?!.*secret).*several lines/);
  expect(read("--yes", "--mqtt-user", "zm")).toContain("needs --mqtt-password-file");
  expect(read("--mqtt-password-file", file)).toContain("needs --mqtt-user");
  expect(readSetupOptions(["--mqtt-user", "zm"])).toContain("needs --mqtt:");
});

test("a file that is no key of a service account is refused before the configuration is written", async () => {
  const file = join(root, "google-services.json");
  writeFileSync(file, '{"project_info": {}}');
  await expect(run(["--yes", "--fcm-key", file])).rejects.toMatchObject({ code: "FCM_KEY_INVALID" });
  expect(existsSync(target())).toBe(false);
});

test("a certificate of the web server for that name that no phone trusts is offered, and not the first choice", async () => {
  const folder = join(root, "etc/apache2/ssl");
  mkdirSync(folder, { recursive: true });
  makeSelfSigned(folder);
  const labels: string[] = [];
  const asking = answering({});
  await run([], {
    ...asking,
    choose: async (question, choices) => {
      if (question.includes("certificate")) labels.push(...choices.map(({ label }) => label));
      return await asking.choose(question, choices);
    },
  });
  expect(labels[0]).toContain("an authority of your own");
  expect(labels[1]).toContain("zoneminder.crt (for zm.example.org; phones have to be told");
});

test.skipIf(!isRoot)("what was made is noted for the removal of the package", async () => {
  await run(["--yes"]);
  const made = readFileSync(join(root, "made-files"), "utf8").split("\n");
  expect(made).toEqual(
    expect.arrayContaining([
      `file ${target()}`,
      `file ${join(root, "etc/zm/zmes-ca.key")}`,
      `file ${join(data(), "tls/next/5.pem")}`,
      `dir ${join(data(), "tls")}`,
    ]),
  );
  expect(made).not.toContain(`dir ${join(root, "etc/zm")}`);
});

test("options that contradict each other are refused", () => {
  expect(readSetupOptions(["--detection", "maybe"])).toContain("yes or no");
  expect(readSetupOptions(["--cert", "x"])).toContain("belong together");
  expect(readSetupOptions(["--port", "70000"])).toContain("65535");
  expect(readSetupOptions(["--name", "a b?"])).toContain("not a host name");
  expect(readSetupOptions(["--mqtt", "nonsense://x"])).toContain("mqtts://");
  expect(readSetupOptions(["--mqtt", "mqtt://user:secret@broker"])).toMatch(
    /^(?!.*secret@).*without a login/,
  );
  expect(readSetupOptions(["--nmae", "x"])).toContain("--nmae");
});

describe.skipIf(!isRoot)("certificates that are there, without changing whose they are", () => {
  async function take(folder: string, hasSystemd: boolean) {
    const user = await findUser("www-data");
    if (user === null) throw new Error("no user www-data");
    const files = ownedFiles(user, join(root, "made-files"));
    files.folder(data(), "server");
    const plan = {
      kind: "found",
      cert: join(folder, "fullchain.pem"),
      key: join(folder, "privkey.pem"),
      isPublic: true,
    } as const;
    const job = {
      names: ["zm.example.org"],
      files,
      configFolder: join(root, "etc/zm"),
      dataDirectory: data(),
    };
    return await provideCertificate(plan, {
      ...job,
      renew: false,
      anew: false,
      hasSystemd,
      root,
      now: Date.now(),
    });
  }

  function certificateIn(folder: string): string {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    makeSelfSigned(folder, "fullchain.pem", "privkey.pem");
    execFileSync("chmod", ["600", join(folder, "privkey.pem")]);
    return folder;
  }

  test("Let's Encrypt's are copied now and after each renewal, and the server can read the copy", async () => {
    const live = certificateIn(join(root, "etc/letsencrypt/live/zm.example.org"));
    const { ssl } = await take(live, true);
    const hook = join(root, "etc/letsencrypt/renewal-hooks/deploy/zmes");
    expect(ssl?.cert).toBe(join(data(), "tls/server.pem"));
    expect(modeOf(join(live, "privkey.pem"))).toBe("600");
    expect(ownerOf(join(live, "privkey.pem"))).toBe("root:root");
    expect(spawnSync("runuser", ["-u", "www-data", "--", "test", "-r", ssl?.key ?? ""]).status).toBe(0);
    certificateIn(live);
    execFileSync(hook, { env: { PATH: "/usr/bin:/bin", RENEWED_LINEAGE: live } });
    expect(readFileSync(ssl?.cert ?? "")).toEqual(readFileSync(join(live, "fullchain.pem")));
    const taken = readFileSync(ssl?.cert ?? "");
    certificateIn(live);
    execFileSync(hook, { env: { PATH: "/usr/bin:/bin", RENEWED_LINEAGE: "/etc/letsencrypt/live/other" } });
    expect(readFileSync(ssl?.cert ?? "")).toEqual(taken);
  });

  test("others are handed over by systemd where it runs the machine", async () => {
    const folder = certificateIn(join(root, "etc/ssl/own"));
    const { ssl } = await take(folder, true);
    const dropIn = readFileSync(join(root, "etc/systemd/system/zmes.service.d/20-certificate.conf"), "utf8");
    expect(dropIn).toContain(`LoadCredential=key.pem:${join(folder, "privkey.pem")}`);
    expect(ssl?.key).toBe("/run/credentials/zmes.service/key.pem");
  });

  test("and where it does not, the command that opens the key is said", async () => {
    const folder = certificateIn(join(root, "etc/ssl/own"));
    const { ssl, notes } = await take(folder, false);
    expect(ssl?.key).toBe(join(folder, "privkey.pem"));
    expect(notes[0]).toContain(`sudo chgrp www-data ${ssl?.key}`);
  });

  test("root never writes through a link that the server's user put there", async () => {
    mkdirSync(data());
    mkdirSync(join(root, "precious"));
    execFileSync("ln", ["-s", join(root, "precious"), join(data(), "tls")]);
    await expect(run(["--yes"])).rejects.toMatchObject({ code: "SETUP_UNWRITABLE" });
    expect(readdirSync(join(root, "precious"))).toEqual([]);
  });
});

function makeSelfSigned(folder: string, cert = "zoneminder.crt", key = "zoneminder.key"): void {
  const names = ["-subj", "/CN=zm.example.org", "-addext", "subjectAltName=DNS:zm.example.org"];
  const out = ["-keyout", join(folder, key), "-out", join(folder, cert), "-days", "90"];
  execFileSync("openssl", ["req", "-x509", "-nodes", "-newkey", "rsa:2048", ...names, ...out], {
    stdio: "ignore",
  });
}

function snapshot(): Readonly<Record<string, string>> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file, `${statSync(file).ino} ${readFileSync(file, "latin1")}`];
    }),
  );
}
