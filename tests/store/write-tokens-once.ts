// Replaces the file named on the command line once: file, safety copy, text.
import { replaceFile } from "../../src/store/json-file.ts";

const [file = "", safety = "", text = ""] = process.argv.slice(2);
await replaceFile(file, text, { safety });
