/** The files for containers name only what exists: they are not built here. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { commands } from "../../src/cli/index.ts";
import { loadConfig } from "../../src/config/load.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "packaging/docker");
const dockerfile = readFileSync(join(folder, "Dockerfile"), "utf8").replaceAll("\\\n", " ");
const lines = dockerfile.split("\n").filter((line) => !line.startsWith("#"));
const builder = readFileSync(join(root, "packaging/package.ts"), "utf8");

interface Service {
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args?: Readonly<Record<string, string>>;
  };
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly ipc?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const composeOf = (name: string) => parse(readFileSync(join(folder, name), "utf8")) as Compose;
const compose = composeOf("compose.yml");

test("what is copied into the image is in the checkout", () => {
  const sources = lines
    .filter((line) => line.startsWith("COPY "))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  expect(sources.length).toBeGreaterThan(3);
  expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
});

test("what is left out of the build is not needed by it", () => {
  const ignored = readFileSync(join(folder, "Dockerfile.dockerignore"), "utf8").trim().split("\n");
  for (const needed of ["bin", "src", "packaging", "docs", "LICENSE", "tsconfig.build.json", "package.json"])
    expect(ignored).not.toContain(needed);
});

test("what is built with are scripts and options that exist", () => {
  const [, script = "", options = ""] = /node (packaging\/\S+)((?: \S+)*)/.exec(dockerfile) ?? [];
  expect(existsSync(join(root, script))).toBe(true);
  for (const option of options.match(/--[\w-]+/g) ?? []) expect(builder).toContain(`  ${option} `);
});

test("programs and folders in the image are those of the package", () => {
  const named = new Set(dockerfile.match(/\/(?:usr|var)\/[\w./-]*\w/g));
  for (const file of ["/usr/lib/zmes/healthcheck.mjs", "/var/lib/apt/lists"]) named.delete(file);
  const postinst = readFileSync(join(root, "packaging/debian/postinst"), "utf8");
  const packaged = `${builder}\n${postinst}`;
  // The builder writes them in two steps: the folder of the program, and a name in it.
  const inPackage = (file: string) =>
    packaged.includes(file.slice(1)) || packaged.includes(`"${file.split("/").at(-1)}"`);
  expect([...named].filter((file) => !inPackage(file))).toEqual([]);
  const [, command] = /^CMD \["(\w+)"\]$/m.exec(dockerfile) ?? [];
  expect(commands.map(({ name }) => name)).toContain(command);
});

test("object detection is added by an argument that the examples hand on, and left out without it", () => {
  expect(dockerfile).toMatch(/^ARG DETECTION=no$/m);
  expect(dockerfile).toMatch(/if \[ "\$DETECTION" = yes \]; then apt-get install .*zmes-detect_\*\.deb; fi/);
  expect(compose.services.zmes?.build?.args?.DETECTION).toMatch(/^\$\{DETECTION:-no\}$/);
});

test("the program runs without root, and says how it is", () => {
  expect(lines.filter((line) => line.startsWith("USER "))).toEqual(["USER www-data"]);
  expect(dockerfile).toContain("HEALTHCHECK");
});

test.each(["compose.yml", "compose.volume.yml"])(
  "%s names only files, services and volumes that exist",
  (name) => {
    const { services, volumes } = composeOf(name);
    for (const [service, { build, volumes: mounts = [], depends_on = [], ipc = "" }] of Object.entries(
      services,
    )) {
      if (build) expect(existsSync(join(folder, build.context, build.dockerfile)), service).toBe(true);
      const sources = mounts.map((mount) => mount.split(":")[0] ?? "");
      for (const source of sources)
        expect(source.startsWith(".") ? existsSync(join(folder, source)) : source in volumes, source).toBe(
          true,
        );
      const others = [...depends_on, ...(/^service:(.*)/.exec(ipc)?.slice(1) ?? [])];
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(others));
    }
  },
);

test("the configuration of the example is understood", () => {
  const named = compose.services.zmes?.environment?.ZMES_CONFIG ?? "";
  const { problems, warnings } = loadConfig({ path: join(folder, named) });
  expect([...problems, ...warnings]).toEqual([]);
});

test.each([
  [200, 0],
  [503, 1],
])("a server that answers %i makes the health check end with %i", async (status, code) => {
  const server = createServer((_request, response) => response.writeHead(status).end()).listen(
    0,
    "127.0.0.1",
  );
  await new Promise((resolve) => server.once("listening", resolve));
  const port = String((server.address() as AddressInfo).port);
  // The server answers in this very process: it must not be blocked while it is asked.
  const child = spawn(process.execPath, [join(folder, "healthcheck.mjs")], {
    env: { ...process.env, ZMES_PORT: port },
  });
  expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(code);
  server.close();
});

test("without a server the health check fails", () => {
  const env = { ...process.env, ZMES_PORT: "1" };
  expect(spawnSync(process.execPath, [join(folder, "healthcheck.mjs")], { env }).status).toBe(1);
});
