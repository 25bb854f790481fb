// `npm run docs`: writes the generated pages below docs/.
import { writeFileSync } from "node:fs";
import { configurationPage, jsonSchema } from "./configuration-docs.ts";

const docs = new URL("../docs/", import.meta.url);
writeFileSync(new URL("configuration.md", docs), configurationPage());
writeFileSync(new URL("zmes.schema.json", docs), jsonSchema());
