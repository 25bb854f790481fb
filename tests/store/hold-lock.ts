// Holds the lock of a data directory until it is killed; started by the tests of the lock.
import { lockDataDirectory } from "../../src/store/lock.ts";

lockDataDirectory(process.argv[2] ?? "");
process.stdout.write("held\n");
setInterval(() => undefined, 60_000);
