// Letters as strokes, so that pictures carry the same labels on every machine, whatever fonts it has.

/** A stroke: points that are connected. A single point is a dot. */
type Stroke = readonly (readonly [x: number, y: number])[];

export interface Glyph {
  readonly strokes: readonly Stroke[];
  /** Up to where the next letter begins, in units. */
  readonly advance: number;
}

/** In units: capitals stand from 0 down to 12; what hangs below them ends at 15, accents of capitals begin at -4. */
export const CAPITAL_UNITS = 12;
export const DESCENT_UNITS = 4;

/** The letters of a text. What has no drawing is taken apart into letter and accent, else it is an empty box. */
export function glyphsOf(text: string): readonly Glyph[] {
  return [...text.normalize("NFC")].flatMap((character) => glyphs(SAME.get(character) ?? character));
}

function glyphs(text: string): readonly Glyph[] {
  return [...text].map((character) => {
    const plain = drawn(character);
    if (plain !== null) return glyph(plain);
    const [letter = "", ...marks] = character.normalize("NFD");
    // An i under an accent has no dot.
    const base = drawn(letter === "i" ? "ı" : letter);
    if (base === null || marks.length === 0) return EMPTY_BOX;
    const above = /\p{Lu}/u.test(letter) ? -4 : 0;
    const accents = marks.flatMap((mark) =>
      shifted(strokesOf(ACCENTS.get(mark) ?? ""), mark === CEDILLA ? 0 : above),
    );
    return glyph([...base, ...accents]);
  });
}

function drawn(character: string): readonly Stroke[] | null {
  const text = LETTERS.get(character);
  return text === undefined ? null : strokesOf(text);
}

function glyph(strokes: readonly Stroke[]): Glyph {
  const width = Math.max(0, ...strokes.flatMap((stroke) => stroke.map(([x]) => x)));
  return { strokes, advance: (strokes.length === 0 ? WIDTH_OF_SPACE : width) + GAP };
}

function shifted(strokes: readonly Stroke[], by: number): readonly Stroke[] {
  return strokes.map((stroke) => stroke.map(([x, y]) => [x, y + by] as const));
}

/** "0c60 1278": strokes of points, each a digit of base 36 for x and one for y. */
function strokesOf(text: string): readonly Stroke[] {
  return text
    .split(" ")
    .filter((stroke) => stroke !== "")
    .map((stroke) =>
      (stroke.match(/../g) ?? []).map(
        ([x = "0", y = "0"]) => [Number.parseInt(x, 36), Number.parseInt(y, 36)] as const,
      ),
    );
}

const GAP = 4;
const WIDTH_OF_SPACE = 3;
const CEDILLA = "\u0327";

const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    " ": "",
    "!": "1018 1c",
    '"': "1013 4043",
    "#": "202c 606c 0484 0888",
    $: "82602002042666888a6c2c0a 404c",
    "%": "800c 0220422402 4a688a6c4a",
    "&": "8c1311305153080a2c5c88",
    "'": "1013",
    "(": "3013193c",
    ")": "1033391c",
    "*": "434b 0589 8509",
    "+": "0888 444c",
    ",": "1b0e",
    "-": "0868",
    ".": "1c",
    "/": "700c",
    "0": "2003092c5c79735020",
    "1": "12404c 1c7c",
    "2": "02205072740c7c",
    "3": "02205072745626 56787a5c2c0a",
    "4": "5c500878",
    "5": "70000555777a5c2c0a",
    "6": "715020030a2c5c7a77552507",
    "7": "00702c",
    "8": "205072745626040220 26080a2c5c7a7856",
    "9": "0b2c5c79725020020527 275775",
    ":": "16 1c",
    ";": "16 1b0e",
    "<": "74087c",
    "=": "0686 0a8a",
    ">": "04780c",
    "?": "02205072744749 4c",
    "@": "7b5c2c0a03206083886857 543438576",
    A: "0c408c 1878",
    B: "0c005072745606 56788a6c0c",
    C: "82602003092c6c8a",
    D: "0c005083895c0c",
    E: "80000c8c 0666",
    F: "80000c 0666",
    G: "82602003092c6c8a8757",
    H: "000c 808c 0686",
    I: "2060 404c 2c6c",
    J: "80896c2c09",
    K: "000c 8007 358c",
    L: "000c8c",
    M: "0c0047808c",
    N: "0c008c80",
    O: "2003092c6c89836020",
    P: "0c006082856707",
    Q: "2003092c6c89836020 598c",
    R: "0c006082856707 478c",
    S: "82602002042666888a6c2c0a",
    T: "0080 404c",
    U: "00092c6c8980",
    V: "004c80",
    W: "002c446c80",
    X: "008c 800c",
    Y: "004680 464c",
    Z: "00800c8c",
    "[": "30101c3c",
    "\\": "007c",
    "]": "10303c1c",
    "^": "043064",
    _: "0d8d",
    "`": "2042",
    a: "747c 765424060a2c5c7a",
    b: "000c 062454767a5c2c0a",
    c: "765424060a2c5c7a",
    d: "707c 765424060a2c5c7a",
    e: "0878765424060a2c5c7b",
    f: "6040222c 0454",
    g: "747d5f2f0d 765424060a2c5c7a",
    h: "000c 062454767c",
    i: "141c 10",
    j: "343d1f0f 30",
    k: "000c 6409 287c",
    l: "101a2c3c",
    m: "040c 062444565c 567494a6ac",
    n: "040c 062454767c",
    o: "24060a2c5c7a765424",
    p: "040f 062454767a5c2c0a",
    q: "747f 765424060a2c5c7a",
    r: "040c 072454",
    s: "75641405071868797b6c1c0b",
    t: "212a4c6b 0464",
    u: "040a2c5c7a 747c",
    v: "044c84",
    w: "042c466c84",
    x: "047c 740c",
    y: "044c 841f",
    z: "04740c7c",
    "{": "40212506272b4c",
    "|": "101e",
    "}": "00212546272b0c",
    "~": "08265977",
    ß: "0c02205062557878 785a",
    ø: "24060a2c5c7a765424 730d",
    Ø: "2003092c6c89836020 810b",
    "°": "0220422402",
    ı: "141c",
    "€": "82602003092c6c8a 0565 0868",
  }),
);

/** Drawn with other letters. */
const SAME: ReadonlyMap<string, string> = new Map(
  Object.entries({
    æ: "ae",
    Æ: "AE",
    œ: "oe",
    Œ: "OE",
    đ: "d",
    ð: "d",
    ł: "l",
    Ł: "L",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "\u00a0": " ",
  }),
);

/** Above small letters; those of capitals stand 4 units higher. */
const ACCENTS: ReadonlyMap<string, string> = new Map([
  ["\u0300", "2042"],
  ["\u0301", "3250"],
  ["\u0302", "123052"],
  ["\u0303", "12304260"],
  ["\u0304", "1161"],
  ["\u0307", "31"],
  ["\u0308", "21 51"],
  ["\u030a", "2130413221"],
  ["\u030c", "103250"],
  [CEDILLA, "4c5d4f2f"],
]);

const EMPTY_BOX: Glyph = glyph(strokesOf("00707c0c00"));
