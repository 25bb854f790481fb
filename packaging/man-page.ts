// The man page zmes(1), made from the help texts of the commands.
import type { Command } from "../src/cli/command.ts";

/** roff text (groff_man(7)). `day` such as "2026-11-22". */
export function manPage(commands: readonly Command[], version: string, day: string): string {
  const lines = [
    `.TH ZMES 1 "${day}" "zmes ${text(version)}" "ZoneMinder"`,
    ".SH NAME",
    "zmes \\- notification server for ZoneMinder",
    ".SH SYNOPSIS",
    ".B zmes",
    "[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]",
    ".SH DESCRIPTION",
    "Tells clients, phones, MQTT brokers and scripts of ZoneMinder's alarms within milliseconds. Without a command, zmes is",
    '.BR "zmes run" .',
    ".SH COMMANDS",
    ...commands.flatMap(describe),
    ".SH FILES",
    ...FILES.flatMap(([file, about]) => [".TP", `.I ${text(file)}`, text(about)]),
    ".SH EXIT STATUS",
    ...STATUS.flatMap(([code, about]) => [".TP", `.B ${code}`, text(about)]),
    ".SH SEE ALSO",
    ".BR zmdc.pl (8),",
    ".BR zmpkg.pl (8),",
    ".BR systemctl (1)",
    ".PP",
    "The documents in /usr/share/doc/zmes.",
  ];
  return `${lines.join("\n")}\n`;
}

const FILES = [
  ["/etc/zm/zmes.yml", "The configuration. Without it, files of the original are read."],
  ["/etc/zm/zm.conf", "ZoneMinder's own configuration."],
  ["/var/lib/zmeventnotification", "The data directory: phones, outbox, history, keys."],
  ["/usr/share/doc/zmes/examples/zmes.yml", "Every setting, with its default and what it means."],
] as const;

const STATUS = [
  ["0", "The command did its job."],
  ["1", "It failed at it."],
  ["2", "It was called wrongly, or the configuration cannot be used."],
  ["3", "Another zmes runs already."],
] as const;

function describe({ usage, summary, options, notes }: Command): string[] {
  return [
    `.SS "zmes ${text(usage).replaceAll('"', "\\(dq")}"`,
    `${text(summary.charAt(0).toUpperCase() + summary.slice(1))}.`,
    ...options.flatMap(({ flag, text: about }) => [".TP", `.B ${text(flag)}`, text(about)]),
    ...notes.flatMap((note) => [".PP", text(note)]),
  ];
}

/** Plain text for roff: a hyphen that is typed is a minus, and no line begins with a request. */
function text(plain: string): string {
  const escaped = plain.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("`", "\\(ga");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
