/**
 * The second Debian package: without it the program says what to install, with it pictures are looked at, by OpenCV's
 * people detector and by a model. Installed in files of its own, without touching the machine.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawScene } from "../detect/support/people.ts";
import { blobModel, ultralyticsNotes } from "../support/onnx-models.ts";
import { createPrivateFiles, type PrivateFiles } from "../support/private-files.ts";

const root = join(import.meta.dirname, "../..");
const DATA = "/var/lib/zmeventnotification";
const VERSION = "8.0.0";
const architecture = process.arch === "arm64" ? "arm64" : "amd64";
const detectDeb = `zmes-detect_${VERSION}_${architecture}.deb`;

describe.skipIf(process.getuid?.() !== 0)("the Debian package zmes-detect", () => {
  let folder = "";
  let machine: PrivateFiles | undefined;
  const inside = (): PrivateFiles => {
    if (!machine) throw new Error("there is no machine to install it on");
    return machine;
  };
  const sh = (script: string) => inside().run("sh", "-euc", script);
  const dpkg = (...args: string[]) => inside().run("dpkg", "--no-triggers", ...args);
  /** Both streams, whatever the exit code. */
  const zmes = (words: string) => sh(`zmes ${words} --config ${folder}/zmes.yml 2>&1 || true`);
  const doctor = async () => {
    const { checks } = JSON.parse(
      await sh(`zmes doctor --json --config ${folder}/zmes.yml || true`),
    ) as Report;
    return checks.find(({ check }) => check === "detection")?.findings ?? [];
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-detect-deb-"));
    chmodSync(folder, 0o755);
    const options = ["--fast", "--version", VERSION, "--out", folder];
    const sizes = execFileSync(process.execPath, [join(root, "packaging/package.ts"), ...options]);
    console.log(String(sizes).trim());
    writeFileSync(
      join(folder, "figure.jpg"),
      await drawScene({
        width: 320,
        height: 320,
        background: "#c8c8c8",
        figures: [{ x: 200, y: 170, height: 180, color: "#3c3228" }],
      }),
    );
    const metadata = ultralyticsNotes(["person", "bicycle", "car"]);
    writeFileSync(join(folder, "tiny.onnx"), blobModel("yolov8", { metadata, classes: 3 }));
    writeFileSync(
      join(folder, "zmes.yml"),
      "ssl: {enable: no}\ndetection: {enable: yes, min_confidence: 10}\n",
    );
    machine = await createPrivateFiles();
    await sh(`rm -rf ${DATA} /etc/zm/zmes* /var/lib/zmes /usr/lib/zmes`);
    await dpkg("--install", join(folder, `zmes_${VERSION}_${architecture}.deb`));
  }, 120_000);

  afterAll(() => {
    machine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is named by commands and by doctor where it is missing, with the line that installs it", async () => {
    const line = `sudo apt install ./${detectDeb}`;
    expect(await zmes(`detect ${folder}/figure.jpg`)).toContain(line);
    expect(await zmes(`models check ${folder}/tiny.onnx`)).toContain(line);
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ level: "problem", fix: expect.stringContaining(line) }),
    );
  });

  it("belongs to the version of zmes it was built with", async () => {
    await dpkg("--install", join(folder, detectDeb));
    const depends = await inside().run("dpkg-deb", "--field", join(folder, detectDeb), "Depends");
    expect(depends.trim()).toBe(`zmes (= ${VERSION})`);
    expect(await dpkg("--verify", "zmes-detect")).toBe("");
  });

  it("holds what only detection needs, for this kind of machine alone", async () => {
    const files = (await dpkg("--listfiles", "zmes-detect")).split("\n");
    const packages = new Set(
      files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/@]+)\//.exec(file)?.[1] ?? []),
    );
    expect([...packages].sort()).toEqual([
      "@bufbuild/protobuf",
      "@techstark/opencv-js",
      "onnxruntime-common",
      "onnxruntime-node",
    ]);
    const libraries = files.filter((file) => /\.(node|so)(\.\d+)?$/.test(file));
    const own = `/usr/lib/zmes/node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/`;
    expect(libraries.length).toBeGreaterThan(1);
    expect(libraries.filter((file) => !file.startsWith(own))).toEqual([]);
    expect(await dpkg("--listfiles", "zmes")).toContain("/node_modules/sharp/");
  });

  it("finds people without a model", async () => {
    const report = await zmes(`detect ${folder}/figure.jpg`);
    expect(report).toMatch(/Found +person/);
    expect(report).toContain("HOG people detector");
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ level: "ok", text: expect.stringContaining("HOG people detector") }),
    );
  });

  it("takes a model, looks with it, and doctor knows it", async () => {
    await sh(`zmes models add ${folder}/tiny.onnx --config ${folder}/zmes.yml`);
    const report = JSON.parse(
      await sh(`zmes detect ${folder}/figure.jpg --json --config ${folder}/zmes.yml`),
    ) as object;
    expect(JSON.stringify(report)).toContain("YOLOv8");
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ level: "ok", text: expect.stringMatching(/^tiny\.onnx: YOLOv8.* 3 labels/) }),
    );
  });

  it("doctor sees a model that the server's user may not read", async () => {
    await sh(`chown root: ${DATA}/models/tiny.onnx; chmod 600 ${DATA}/models/tiny.onnx`);
    expect(await doctor()).toContainEqual(
      expect.objectContaining({
        level: "problem",
        fix: `Make it readable: sudo chmod a+r ${DATA}/models/tiny.onnx`,
      }),
    );
  });

  it("removed, leaves the server as it was", async () => {
    await dpkg("--purge", "zmes-detect");
    expect(await sh("find /usr -path '*onnxruntime*' -o -path '*zmes-detect*'")).toBe("");
    expect(await dpkg("--verify", "zmes")).toBe("");
    expect(await sh("zmes version")).toBe(`${VERSION}\n`);
  });
});

interface Report {
  readonly checks: readonly {
    readonly check: string;
    readonly findings: readonly {
      readonly level: string;
      readonly text: string;
      readonly fix: string | null;
    }[];
  }[];
}
