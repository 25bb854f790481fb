// Holds the lock of a data directory until it is killed; started by the tests of the lock.
import { lockDataDirectory } from "../../src/store/lock.ts";

// Kept by the timer: a lock that nothing refers to is collected, and with it the descriptor that holds it.
const lock = lockDataDirectory(process.argv[2] ?? "");
process.stdout.write("held\n");
setInterval(() => lock, 60_000);
