// The folder of models, and models.json in it: where each came from, its checksum, and what it was recognized as.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { reasonOf, systemCode } from "../../lib/errors.ts";
import { type FileLock, tryFileLock } from "../../lib/file-lock.ts";

/** A model that was added. */
interface StoredModel {
  /** Its file; what `detection.model` is set to. */
  readonly name: string;
  readonly files: readonly StoredFile[];
  /** Path or address, without what may be secret in it. */
  readonly source: string;
  /** ISO 8601 */
  readonly added: string;
  readonly description: string;
}

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What is in the folder. `stored` is null for files that somebody put there by hand. */
export interface ListedModel {
  readonly name: string;
  readonly bytes: number;
  readonly stored: StoredModel | null;
}

export interface ModelStore {
  readonly folder: string;
  /** By name. `problem` is set when models.json cannot be read. */
  list(): Promise<{ readonly models: readonly ListedModel[]; readonly problem: string | null }>;
  /** Files that a name stands for, existing or not. */
  path(name: string): string;
  /** Where a file is collected before it has its name. */
  partPath(name: string): string;
  /**
   * Makes the folder, and keeps everybody else from changing anything in it until it is released: two of a name would
   * collect in one file. Throws in words when somebody else is at it.
   */
  lock(): Promise<FileLock>;
  /** Gives the collected files their names, and notes the model. */
  keep(model: StoredModel): Promise<void>;
  /** Removes the model's files; false when there is none of that name. */
  remove(name: string): Promise<boolean>;
}

/** Makes nothing before something is kept. */
export function createModelStore(folder: string): ModelStore {
  const index = path.join(folder, "models.json");
  const pathOf = (name: string) => path.join(folder, name);
  const partPath = (name: string) => `${pathOf(name)}.part`;

  async function readIndex(): Promise<{ stored: StoredModel[]; problem: string | null }> {
    try {
      return { stored: INDEX.parse(JSON.parse(await readFile(index, "utf8"))).models, problem: null };
    } catch (failure) {
      if (systemCode(failure) === "ENOENT") return { stored: [], problem: null };
      const problem = failure instanceof z.ZodError ? "it does not hold what it should" : reasonOf(failure);
      return { stored: [], problem: `${index} cannot be used: ${problem}. The models themselves can.` };
    }
  }

  async function writeIndex(models: readonly StoredModel[]): Promise<void> {
    const temporary = `${index}.tmp`;
    const handle = await open(temporary, "w", FILE_MODE);
    try {
      await handle.writeFile(`${JSON.stringify({ models }, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, index);
  }

  async function list() {
    const { stored, problem } = await readIndex();
    const models: ListedModel[] = [];
    for (const name of await namesIn(folder)) {
      // A link that leads nowhere, or a folder of that name, is no model.
      const file = await stat(pathOf(name)).catch(() => null);
      if (file?.isFile() !== true) continue;
      const { size } = file;
      models.push({ name, bytes: size, stored: stored.find((model) => model.name === name) ?? null });
    }
    return { models, problem };
  }

  return {
    folder,
    list,
    path: pathOf,
    partPath,
    async lock() {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      const lock = tryFileLock(`${folder}.lock`);
      if (lock !== null) return lock;
      throw new Error(
        `another \`zmes models\` is adding or removing in ${folder}: try again when it is through`,
      );
    },
    async keep(model) {
      for (const { name } of model.files) await rename(partPath(name), pathOf(name));
      const { stored } = await readIndex();
      await writeIndex([...stored.filter(({ name }) => name !== model.name), model]);
    },
    async remove(name) {
      const { models } = await list();
      const found = models.find((model) => model.name === name);
      if (found === undefined) return false;
      for (const file of found.stored?.files ?? [{ name }]) await rm(pathOf(file.name), { force: true });
      const { stored } = await readIndex();
      if (stored.some((model) => model.name === name)) {
        await writeIndex(stored.filter((model) => model.name !== name));
      }
      return true;
    },
  };
}

/** Size and SHA-256 of a file, read piece by piece. */
export async function fingerprint(file: string): Promise<Omit<StoredFile, "name">> {
  const hash = createHash("sha256");
  let bytes = 0;
  if (!(await stat(file)).isFile()) throw new Error(`${file} is not a file`);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The web server's user and group. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

const FILE_NAME = z.string().regex(/^[A-Za-z0-9][\w.+-]*$/);

const INDEX = z.object({
  models: z.array(
    z.object({
      name: FILE_NAME,
      // Removing a model removes these: a name with a folder in it must not get here.
      files: z.array(z.object({ name: FILE_NAME, bytes: z.number(), sha256: z.string() })),
      source: z.string(),
      added: z.string(),
      description: z.string(),
    }),
  ),
});

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.(onnx|weights)$/i.test(name)).toSorted();
  } catch (failure) {
    if (systemCode(failure) === "ENOENT") return [];
    throw failure;
  }
}
