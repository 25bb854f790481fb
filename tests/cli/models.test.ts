import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSource } from "../../src/cli/models/sources.ts";
import { models } from "../../src/cli/models.ts";
import { weightsFile } from "../detect/support/darknet.ts";
import { testIo } from "../support/command-io.ts";
import { eventually } from "../support/eventually.ts";
import { blobModel } from "../support/onnx-models.ts";

let folder: string;
let server: Server | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-models-"));
  server = null;
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const kept = () => join(folder, "data/models");
const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

function save(name: string, bytes: Buffer | string): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

async function run(...argv: string[]) {
  // Otherwise the command, started as root, would make the test's own process the web server's.
  const zoneminder = save("zm.conf", "ZM_DB_HOST=localhost\nZM_WEB_USER=root\nZM_WEB_GROUP=root\n");
  const config = save(
    "zmes.yml",
    `general:\n  base_data_path: ${join(folder, "data")}\nzoneminder:\n  config: ${zoneminder}\n`,
  );
  const io = testIo();
  const code = await models.run([...argv, "--config", config], io);
  return { code, out: io.out(), err: io.err() };
}

async function serve(bytes: Buffer): Promise<string> {
  server = createServer((_, response) => {
    response.writeHead(200, { "content-length": bytes.length, etag: '"1"' }).end(bytes);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("add", () => {
  test("a file is tried, kept with its checksum, and described", async () => {
    const bytes = blobModel("yolov8");
    const { code, out } = await run("add", save("blob.onnx", bytes));
    expect(out).toMatch(/^blob\.onnx: YOLOv8\/9\/11\/12, 128x96, 80 labels, CPU$/m);
    expect(out).toMatch(/^Labels: person, bicycle, .* and 70 more$/m);
    expect(out).toMatch(/^Speed: \d+ ms for a picture of 1920x1080/m);
    expect(out).toContain(`SHA-256: ${sha(bytes)}`);
    expect(out).toContain("model: blob.onnx");
    expect(code).toBe(0);
    expect(readFileSync(join(kept(), "blob.onnx"))).toEqual(bytes);
    expect(readdirSync(kept()).toSorted()).toEqual(["blob.onnx", "models.json"]);
  });

  test("an address of this machine is fetched over http; its parameters are told to nobody", async () => {
    const bytes = blobModel("end2end");
    const origin = await serve(bytes);
    const { code, out, err } = await run("add", `${origin}/v1/blob.onnx?token=geheim`);
    expect(code).toBe(0);
    expect(err).toContain("blob.onnx: 100% of 0.0 MB");
    expect(readFileSync(join(kept(), "blob.onnx"))).toEqual(bytes);
    const index = readFileSync(join(kept(), "models.json"), "utf8");
    expect(index).toContain(`${origin}/v1/blob.onnx"`);
    expect(`${index}${out}${err}`).not.toContain("geheim");
  });

  test("over http from the internet, a checksum is asked for", async () => {
    const { code, err } = await run("add", "http://192.0.2.1/blob.onnx");
    expect(code).toBe(1);
    expect(err).toContain("somebody on the way could exchange it: use https, or say its checksum");
  });

  test("a file with another checksum is not kept", async () => {
    const bytes = blobModel("yolov8");
    const file = save("blob.onnx", bytes);
    const wrong = await run("add", file, "--sha256", "0".repeat(64));
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain(`its checksum is ${sha(bytes)}, not 000`);
    expect(readdirSync(kept())).toEqual([]);
    expect((await run("add", file, "--sha256", sha(bytes).toUpperCase())).code).toBe(0);
  });

  test("a model that cannot be used is not kept, and is called by its name", async () => {
    const { code, err } = await run("add", save("page.onnx", "<html>Not found</html>"));
    expect(code).toBe(1);
    expect(err).toContain("zmes models: page.onnx is not an ONNX model");
    expect(readdirSync(kept())).toEqual([]);
  });

  test("a layout that must be said is asked for, and then named for the configuration", async () => {
    const file = save("x.onnx", blobModel("yolox"));
    expect((await run("add", file)).err).toContain("model_layout: yolov6 (YOLOv6) or yolox (YOLOX)");
    const { code, out } = await run("add", file, "--layout", "yolox");
    expect(code).toBe(0);
    expect(out).toContain("model: x.onnx, model_layout: yolox");
  });

  test("labels that are given too are kept beside it", async () => {
    const model = save("blob.onnx", blobModel("yolov8", { classes: 3 }));
    const { out } = await run("add", model, save("mine.txt", "cat\ndog\nfox\n"));
    expect(out).toContain("Labels: cat, dog, fox\n");
    expect(out).toContain(`labels: ${join(kept(), "blob.names")}`);
    expect(readFileSync(join(kept(), "blob.names"), "utf8")).toBe("cat\ndog\nfox\n");
  });

  test("a pair of Darknet is kept under one name, and can be checked and removed by it", async () => {
    const layers = [
      "[net]\nwidth=32\nheight=32",
      "[convolutional]\nfilters=7\nsize=8\nstride=8\nactivation=linear",
      "[yolo]\nanchors=8,8\nclasses=2\n",
    ];
    const cfg = save("yolo.cfg", layers.join("\n"));
    const none = { biases: Array<number>(7).fill(-10), norm: null, weights: Array<number>(7 * 192).fill(0) };
    const weights = save("tiny.weights", weightsFile([none, null]));
    const { code, out, err } = await run("add", cfg, weights, save("two.names", "cat\nlamp\n"));
    expect({ code, err }).toEqual({ code: 0, err: "Trying tiny.weights ...\n" });
    expect(out).toMatch(/^tiny\.weights: .*Darknet.*, 32x32, 2 labels, CPU$/m);
    expect(readdirSync(kept()).toSorted()).toEqual(["models.json", "tiny.cfg", "tiny.names", "tiny.weights"]);
    expect((await run("check", "tiny.weights")).out).toContain("Labels: cat, lamp\n");
    await run("remove", "tiny.weights");
    expect(readdirSync(kept())).toEqual(["models.json"]);
  });

  test("a name that is taken is not replaced", async () => {
    const file = save("blob.onnx", blobModel("yolov8"));
    await run("add", file);
    const { code, err } = await run("add", file);
    expect(code).toBe(1);
    expect(err).toContain("first: zmes models remove blob.onnx");
  });

  test("nobody else adds or removes meanwhile", async () => {
    const bytes = blobModel("yolov8");
    const asked = Promise.withResolvers<ServerResponse>();
    server = createServer((_, response) => asked.resolve(response));
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const first = run("add", `${origin}/blob.onnx`);
    const response = await asked.promise;
    const second = await run("add", save("blob.onnx", bytes));
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining("try again when it is through") });
    expect((await run("remove", "blob.onnx")).err).toContain("try again when it is through");
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    expect((await first).code).toBe(0);
    expect(readFileSync(join(kept(), "blob.onnx"))).toEqual(bytes);
  });

  test("the labels of another model are not replaced", async () => {
    const labels = save("l.names", "cat\n");
    await run("add", save("blob.onnx", blobModel("yolov8", { classes: 1 })), labels);
    const second = await run("add", save("blob.ONNX", blobModel("yolov8", { classes: 1 })), labels);
    expect(second.err).toContain("blob.names belongs to blob.onnx already");
    expect(readdirSync(kept()).toSorted()).toEqual(["blob.names", "blob.onnx", "models.json"]);
  });

  test("a copy that is interrupted leaves nothing, and its file is closed once", async () => {
    const to = join(folder, "copy.part");
    writeFileSync(`${to}.json`, "note of a download");
    const source = openSource(save("blob.onnx", Buffer.alloc(20_000_000)), false, testIo());
    const stop = new AbortController();
    const copy = source.fetchTo(to, stop.signal);
    await eventually(() => expect(statSync(to).size).toBeGreaterThan(0), 1);
    stop.abort();
    await expect(copy).rejects.toThrow("it was interrupted");
    expect(() => source.close()).not.toThrow();
    expect(readdirSync(folder)).toEqual(["blob.onnx"]);
  });

  test("a file that is not there is named", async () => {
    const { code, err } = await run("add", join(folder, "none.onnx"));
    expect(code).toBe(1);
    expect(err).toContain(`${join(folder, "none.onnx")} cannot be read: ENOENT`);
  });
});

describe("what is there", () => {
  test("nothing is said with how to begin", async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    expect(out).toContain("Add one: zmes models add FILE|URL");
    expect(existsSync(kept())).toBe(false);
  });

  test("models are listed with what they are, and whether they have changed", async () => {
    await run("add", save("blob.onnx", blobModel("yolov8")));
    writeFileSync(join(kept(), "own.onnx"), "x");
    expect((await run("list")).out).toMatch(
      /^blob\.onnx +0\.0 MB {2}YOLOv8.*; added \d{4}-.* from \/.*blob\.onnx\nown\.onnx +0\.0 MB {2}put here by hand/,
    );
    writeFileSync(join(kept(), "blob.onnx"), "y");
    expect((await run("list")).out).toContain("CHANGED since it was added");
  });

  test("links that lead nowhere and folders are no models", async () => {
    await run("add", save("blob.onnx", blobModel("yolov8")));
    symlinkSync("/nowhere.onnx", join(kept(), "link.onnx"));
    mkdirSync(join(kept(), "folder.onnx"));
    const { code, out } = await run("list");
    expect(code).toBe(0);
    expect(out).toMatch(/^blob\.onnx .*\n$/);
  });

  test("an unreadable models.json is said, and the models are listed", async () => {
    await run("add", save("blob.onnx", blobModel("yolov8")));
    writeFileSync(join(kept(), "models.json"), '{"models": [{"name": "../../etc/passwd"}]}');
    const { out, err } = await run("list");
    expect(err).toContain("models.json cannot be used");
    expect(out).toContain("blob.onnx");
  });

  test("a model is removed with its labels, and only by its name", async () => {
    await run("add", save("blob.onnx", blobModel("yolov8", { classes: 1 })), save("l.names", "cat\n"));
    expect((await run("remove", "../../zmes.yml")).code).toBe(1);
    expect((await run("remove", "blob.onnx")).out).toBe("blob.onnx is removed.\n");
    expect(readdirSync(kept())).toEqual(["models.json"]);
    expect((await run("remove", "blob.onnx")).err).toContain("there is no model blob.onnx");
  });

  test("check waits for nothing that is no file", async () => {
    symlinkSync("/dev/zero", join(folder, "zero.onnx"));
    const { code, err } = await run("check", join(folder, "zero.onnx"));
    expect({ code, err }).toEqual({
      code: 1,
      err: `zmes models: ${join(folder, "zero.onnx")} is not a file.\n`,
    });
  });

  test("check tries a file and keeps nothing, or a model that is kept", async () => {
    const file = save("blob.onnx", blobModel("yolov5"));
    const { code, out } = await run("check", file);
    expect(code).toBe(0);
    expect(out).toContain("blob.onnx: YOLOv5/7, 128x96");
    expect(existsSync(kept())).toBe(false);
    await run("add", file);
    expect((await run("check", "blob.onnx")).out).toContain("blob.onnx: YOLOv5/7, 128x96");
    writeFileSync(join(kept(), "blob.onnx"), blobModel("end2end"));
    expect((await run("check", "blob.onnx")).err).toContain("blob.onnx has changed since it was added");
  });
});

test.each([
  [["add"], "add takes the files of one model"],
  [["drop", "x"], '"drop" is none of list, add, check and remove'],
  [["add", "x.onnx", "--sha256", "12"], "--sha256 takes 64 hexadecimal digits"],
  [["remove"], "remove takes the name of one model"],
  [["add", "x.onnx", "--layout"], "--layout needs a value"],
])("the wrong call %j is answered with what is wrong", async (argv, message) => {
  for (const word of argv) if (word.endsWith(".onnx")) save(word, "");
  const { code, err } = await run(
    ...argv.map((word) => (word.endsWith(".onnx") ? join(folder, word) : word)),
  );
  expect(code).toBe(2);
  expect(err).toContain(message);
});
