// Replaces the file named on the command line again and again, until it is killed.
import { replaceFile } from "../../src/store/json-file.ts";

const [file = ""] = process.argv.slice(2);
for (let round = 1; ; round++) {
  await replaceFile(file, `${JSON.stringify({ round, filling: "x".repeat(200_000), end: round })}\n`, {
    safety: `${file}.safety`,
  });
  if (round === 3) process.stdout.write("writing\n");
}
