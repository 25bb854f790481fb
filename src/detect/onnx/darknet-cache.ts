// Darknet models as ONNX files: converted once, and kept under the hash of what they were made from.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "../../lib/errors.ts";
import { DarknetError, parseDarknetConfig } from "./darknet-config.ts";
import { darknetGraph } from "./darknet-graph.ts";
import { buildNetwork } from "./darknet-layers.ts";
import type { DarknetNetwork } from "./darknet-network.ts";
import { openDarknetWeights } from "./darknet-weights.ts";
import { type OnnxModel, onnxChunks } from "./onnx-writer.ts";

export interface ConvertedModel {
  /** The ONNX file. */
  readonly path: string;
  /** False when it was there already. */
  readonly isNew: boolean;
}

/** Part of the file's name: raised whenever the converter makes something else of the same files. */
const CONVERTER = 1;
/** A large model takes 250 MB; nobody runs more than a few, and what was not used for longest goes first. */
const KEPT_MODELS = 4;
/** What a conversion that was killed left behind; one that runs takes seconds. */
const STALE_TEMPORARY_MS = 3_600_000;

/** The ONNX file of a .cfg and its .weights, made now or before. Throws an Error that names the file and the reason. */
export async function convertedDarknet(
  files: { readonly config: string; readonly weights: string },
  cacheFolder: string,
): Promise<ConvertedModel> {
  // Also when it was converted before: what the file says must be understood by this version.
  const network = await about(files.config, async () =>
    buildNetwork(parseDarknetConfig(await readFile(files.config, "utf8"))),
  );
  const hash = createHash("sha256");
  for (const path of [files.config, files.weights]) await about(path, () => addFile(hash, path));
  const path = join(cacheFolder, `darknet-${hash.digest("hex")}-${CONVERTER}.onnx`);
  if (await touch(path)) return { path, isNew: false };
  await mkdir(cacheFolder, { recursive: true, mode: 0o750 });
  await about(files.weights, () => convert(network, files.weights, path));
  await tidy(cacheFolder);
  return { path, isNew: true };
}

/** Puts the file's name before whatever goes wrong with it. */
async function about<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const separator = error instanceof DarknetError ? " " : ": ";
    throw new Error(`${path}${separator}${reasonOf(error)}`, { cause: error });
  }
}

async function addFile(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
}

/** Marks it as used now; false when it is not there. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

async function convert(network: DarknetNetwork, weightsPath: string, path: string): Promise<void> {
  const weights = openDarknetWeights(weightsPath, network);
  try {
    await writeWhole(darknetGraph(network, weights), path);
  } finally {
    weights.close();
  }
}

/** Nobody ever sees half a model: it gets its name when it is on the disk. */
async function writeWhole(model: OnnxModel, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o640);
  try {
    for (const chunk of onnxChunks(model)) await file.writeFile(chunk);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function tidy(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("darknet-"));
  // Another process may be tidying, or giving one of them its name: then it is gone.
  const usedAt = (name: string) => stat(join(folder, name)).then(({ mtimeMs }) => mtimeMs, Date.now);
  const files = await Promise.all(names.map(async (name) => ({ name, usedAt: await usedAt(name) })));
  const finished = files.filter(({ name }) => name.endsWith(".onnx")).sort((a, b) => b.usedAt - a.usedAt);
  const isStale = (usedAt: number): boolean => Date.now() - usedAt > STALE_TEMPORARY_MS;
  const temporary = files.filter(({ name, usedAt }) => name.endsWith(".tmp") && isStale(usedAt));
  for (const { name } of [...finished.slice(KEPT_MODELS), ...temporary])
    await rm(join(folder, name), { force: true });
}
