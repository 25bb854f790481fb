// Labels that mean the same thing: model families spell the names of COCO differently, and operators name their own.
import { matchesAtStart } from "../../domain/python-pattern.ts";

/**
 * Darknet's coco.names against Ultralytics and others, and further spellings that are about. Blanks, "_", "-" and nothing
 * between words are the same anyway.
 */
const SAME: readonly (readonly string[])[] = [
  ["motorbike", "motorcycle"],
  ["aeroplane", "airplane"],
  ["sofa", "couch"],
  ["tvmonitor", "tv monitor", "tv", "television"],
  ["potted plant", "pottedplant"],
  ["dining table", "diningtable"],
  ["cell phone", "cellphone", "mobile phone"],
  ["traffic light", "trafficlight"],
  ["fire hydrant", "firehydrant"],
  ["stop sign", "stopsign"],
  ["parking meter", "parkingmeter"],
  ["sports ball", "sportsball"],
  ["baseball bat", "baseballbat"],
  ["baseball glove", "baseballglove"],
  ["tennis racket", "tennisracket", "tennis racquet"],
  ["wine glass", "wineglass"],
  ["hot dog", "hotdog"],
  ["teddy bear", "teddybear"],
  ["hair drier", "hairdrier", "hair dryer"],
  ["donut", "doughnut"],
];

const groups = new Map(SAME.flatMap((group) => group.map((each) => [joined(each), group] as const)));

/** One name for all spellings of a thing, to compare by; never shown. */
export function canonicalLabel(label: string): string {
  const bare = joined(label);
  const [first] = groups.get(bare) ?? [];
  return first === undefined ? bare : joined(first);
}

/** True when the label, in any spelling, is among them. */
export function includesLabel(labels: readonly string[], label: string): boolean {
  const wanted = canonicalLabel(label);
  return labels.some((each) => canonicalLabel(each) === wanted);
}

/** What a table that is keyed by label says of it: by the label as it is, else by another spelling. */
export function byLabel<T>(table: Readonly<Record<string, T>>, label: string): T | undefined {
  if (Object.hasOwn(table, label)) return table[label];
  const wanted = canonicalLabel(label);
  return Object.entries(table).find(([key]) => canonicalLabel(key) === wanted)?.[1];
}

/** True when two labels mean the same: by spelling, or because the operator says so (`aliases`). */
export function meanTheSame(aliases: readonly (readonly string[])[], one: string, other: string): boolean {
  if (canonicalLabel(one) === canonicalLabel(other)) return true;
  return aliases.some((group) => includesLabel(group, one) && includesLabel(group, other));
}

/**
 * Whether the pattern accepts the label in any of its spellings: one that names "motorbike" accepts a motorcycle, and one
 * that excludes "potted plant" excludes a pottedplant. Where spellings differ, the one that the pattern names decides.
 */
export function acceptsLabel(pattern: RegExp, label: string): boolean {
  const spellings = spellingsOf(label);
  const accepted = spellings.map((each) => matchesAtStart(pattern, each));
  if (accepted.every((each) => each === accepted[0])) return accepted[0] ?? false;
  const own = accepted[0] ?? false;
  if (names(pattern, label)) return own;
  const named = accepted.filter((_, at) => names(pattern, spellings[at] ?? ""));
  if (named.length > 0) return named.includes(true);
  // One that accepts what nobody has heard of excludes by beginnings, such as ^(?!air): another spelling is no way round it.
  return matchesAtStart(pattern, UNHEARD_OF) ? own : accepted.includes(true);
}

const UNHEARD_OF = "qzxqzx";

/** The label itself first. */
function spellingsOf(label: string): readonly string[] {
  const known = groups.get(joined(label)) ?? [];
  const forms = [label, ...known].flatMap((each) => [
    each,
    ...[" ", "_", "-", ""].map((separator) => each.replace(/[ _-]+/g, separator)),
  ]);
  return [...new Set(forms)];
}

/** The pattern spells the label out, as a whole word. */
function names(pattern: RegExp, spelling: string): boolean {
  const source = pattern.source
    .replace(/\\(?:x20|u\{20\}| )/g, " ")
    .replace(/\\(?:x2d|-)/g, "-")
    .toLowerCase();
  const wanted = spelling.toLowerCase();
  for (let at = source.indexOf(wanted); at >= 0; at = source.indexOf(wanted, at + 1)) {
    const before = source[at - 1] ?? "";
    const after = source[at + wanted.length] ?? "";
    if (!/[a-z0-9_]/.test(before) && !/[a-z0-9_]/.test(after)) return true;
  }
  return false;
}

function joined(label: string): string {
  return label.toLowerCase().replace(/[ _-]+/g, "");
}
