// The file `copyright` of a package: what is in it, of whom, and under which license.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { LockedPackage } from "./production-tree.ts";

export interface CopyrightOptions {
  /** The checkout. */
  readonly root: string;
  /** /usr/lib/zmes as it will be, with its node_modules. */
  readonly home: string;
  readonly packages: readonly LockedPackage[];
  /** The folder of Node.js, or null where it is not part of the package. */
  readonly node: string | null;
}

/** Our license, that of Node.js whole, and where those of the npm packages lie. */
export function copyrightOf({ root, home, packages, node }: CopyrightOptions): string {
  const rows = packages.map(
    (locked) => `  ${locked.name} ${locked.version}: ${locked.license}${licenseFile(home, locked)}`,
  );
  return [
    "zmes",
    "====",
    readFileSync(path.join(root, "LICENSE"), "utf8"),
    "npm packages below /usr/lib/zmes/node_modules",
    "=============================================",
    ...rows,
    "",
    ...(node === null
      ? []
      : [
          "Node.js (/usr/lib/zmes/node)",
          "============================",
          readFileSync(path.join(node, "LICENSE"), "utf8"),
        ]),
  ].join("\n");
}

function licenseFile(home: string, { at }: LockedPackage): string {
  const file = readdirSync(path.join(home, at)).find((name) => /^(licen[cs]e|copying)/i.test(name));
  return file === undefined ? "" : ` (/usr/lib/zmes/${at}/${file})`;
}
