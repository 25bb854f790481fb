import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitCommand } from "../../src/lib/command-line.ts";

const words = (text: string) => splitCommand(text)?.words;

describe("a command written for a shell", () => {
  it.each([
    ["/usr/bin/push.py", ["/usr/bin/push.py"]],
    ["'/usr/bin/push.py'", ["/usr/bin/push.py"]],
    ['"/usr/bin/push.py"', ["/usr/bin/push.py"]],
    ["'/my scripts/push.py' -c \"/etc/zm/my file\"", ["/my scripts/push.py", "-c", "/etc/zm/my file"]],
    ["/my\\ scripts/push.py  --quiet", ["/my scripts/push.py", "--quiet"]],
    ["a''b ''", ["ab", ""]],
    ['"say \\"hi\\" \\n"', ['say "hi" \\n']],
  ])("%s is split as a shell would", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each(["", "   ", "'open", '"open', "end\\"])("%j is no command", (text) => {
    expect(splitCommand(text)).toBeNull();
  });

  it.each([
    "push.py | logger",
    "push.py >/dev/null",
    "$HOME/push.py",
    'push.py "$HOME"',
    "a; b",
    "push.py &",
  ])("%s would need a shell", (text) => {
    expect(splitCommand(text)?.wantsShell).toBe(true);
  });

  it.each(["'push.py | logger'", '"a \\$b"', "push.py --level=2"])("%s needs none", (text) => {
    expect(splitCommand(text)?.wantsShell).toBe(false);
  });

  it("means what /bin/sh reads, whatever quotes and backslashes there are", () => {
    const characters = fc.constantFrom("a", " ", "'", '"', "\\", "é", "-", "/");
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        const shell = spawnSync("/bin/sh", ["-c", `printf '<%s>' ${text}`], { encoding: "utf8" });
        const mine = words(text);
        if (shell.status !== 0 || mine === undefined) return;
        expect(mine.map((word) => `<${word}>`).join("")).toBe(shell.stdout);
      }),
      { numRuns: 150 },
    );
  });

  it("never fails, and never hangs, on any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void splitCommand(text)));
    expect(splitCommand(`"${"\\".repeat(100_000)}`)).toBeNull();
  });
});
