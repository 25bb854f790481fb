// Holds the lock of a data directory until it is killed; started by the tests of the lock.
import { lockDataDirectory } from "../../src/store/lock.ts";

const lock = lockDataDirectory(process.argv[2] ?? "");
process.stdout.write("held\n");
// A lock that nobody refers to is collected as garbage, and given free with it.
setInterval(() => lock, 60_000);
