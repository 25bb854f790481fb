// Files that others write: what is read of them, and what never is.
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesAt,
  folderInside,
  isWholePicture,
  openRegular,
  readSteadily,
} from "../../src/lib/steady-file.ts";
import { temporaryFolder } from "../support/folders.ts";

const aFolder = (): Promise<string> => temporaryFolder();

const text = (file: string, mostBytes = 100) =>
  readSteadily(file, mostBytes, async (handle, size) => (await bytesAt(handle, 0, size)).toString());

describe("a file", () => {
  it("is read with a stamp that changes with it", async () => {
    const file = path.join(await aFolder(), "a");
    await writeFile(file, "one");
    const first = await text(file);
    expect(first?.value).toBe("one");
    expect((await text(file))?.stamp).toBe(first?.stamp);
    await appendFile(file, "two");
    expect((await text(file))?.stamp).not.toBe(first?.stamp);
  });

  it("that changes while it is read is not believed", async () => {
    const file = path.join(await aFolder(), "a");
    await writeFile(file, "one");
    const read = await readSteadily(file, 100, async () => {
      await appendFile(file, "two");
      return "one";
    });
    expect(read).toBeNull();
  });

  it("that is too large, missing, or not wanted is nothing", async () => {
    const file = path.join(await aFolder(), "a");
    await writeFile(file, "four");
    expect(await text(file, 3)).toBeNull();
    expect(await text(`${file}-missing`)).toBeNull();
    expect(await readSteadily(file, 100, async () => null)).toBeNull();
    expect(await readSteadily(file, 100, () => Promise.reject(new Error("no")))).toBeNull();
  });

  it("that is a link, a folder or a pipe is never opened, and never waited for", async () => {
    const folder = await aFolder();
    await writeFile(path.join(folder, "file"), "x");
    await symlink("file", path.join(folder, "link"));
    await mkdir(path.join(folder, "folder"));
    execFileSync("mkfifo", [path.join(folder, "pipe")]);
    for (const name of ["link", "folder", "pipe"])
      expect(await openRegular(path.join(folder, name))).toBeNull();
  });
});

describe("a folder", () => {
  it("counts as inside only where it really is", async () => {
    const root = await aFolder();
    const other = await aFolder();
    await mkdir(path.join(root, "a/b"), { recursive: true });
    await symlink(other, path.join(root, "out"));
    await symlink("a/b", path.join(root, "in"));
    expect(await folderInside(root, "a/b")).toBe(path.join(root, "a/b"));
    expect(await folderInside(root, "in")).toBe(path.join(root, "a/b"));
    expect(await folderInside(root, "out")).toBeNull();
    expect(await folderInside(root, "..")).toBeNull();
    expect(await folderInside(root, "")).toBeNull();
    expect(await folderInside(root, "missing")).toBeNull();
    expect(await folderInside("/", root.slice(1))).toBe(root);
  });
});

describe("a picture", () => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 0xff, 0xd9]);

  it("is whole when its end is there", () => {
    expect(isWholePicture(jpeg, jpeg)).toBe(true);
    expect(isWholePicture(Buffer.from("GIF89a..;"), Buffer.from(";"))).toBe(true);
    expect(isWholePicture(Buffer.from("GIF89a.."), Buffer.from("."))).toBe(false);
  });

  it("is not whole without its last bytes, nor is anything else a picture", () => {
    for (let length = 0; length < jpeg.length; length += 1) {
      const part = jpeg.subarray(0, length);
      expect(isWholePicture(part, part)).toBe(false);
    }
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        fc.pre(bytes[0] !== 0xff && bytes[0] !== 0x47);
        expect(isWholePicture(Buffer.from(bytes), Buffer.from(bytes))).toBe(false);
      }),
    );
  });
});
