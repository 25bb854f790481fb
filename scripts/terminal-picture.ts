// Draws terminals as an SVG that needs no font and no script, and is legible on light and dark pages.

export interface Terminal {
  /** What was typed; shown behind a prompt. */
  readonly command: string;
  /** What was printed. */
  readonly lines: readonly string[];
}

/** Terminals one below the other; `label` is what a screen reader says. */
export function terminalPicture(terminals: readonly Terminal[], label: string): string {
  const texts = terminals.map(({ command, lines }) => [`${PROMPT}${command}`, ...lines]);
  const columns = Math.max(...texts.flat().map((line) => line.length));
  const width = Math.ceil(columns * CHAR_WIDTH) + 2 * PADDING;
  const heights = texts.map((lines) => BAR + PADDING + lines.length * LINE_HEIGHT + PADDING / 2);
  const tops = heights.map((_, index) => sum(heights.slice(0, index)) + index * GAP);
  const height = sum(heights) + (texts.length - 1) * GAP;
  const drawn = texts.map((lines, index) => terminal(lines, width, tops[index] ?? 0, heights[index] ?? 0));
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
<style>
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #d7dde4; }
.frame { fill: #16202b; stroke: #5b6b7c; }
.bar { fill: #223042; }
.typed { fill: #ffffff; font-weight: bold; }
.alarm { fill: #f2c14e; }
</style>
${drawn.join("\n")}
</svg>
`;
}

const PROMPT = "$ ";
const FONT_SIZE = 14;
/** Of nearly every monospaced font; each line is stretched to it, so that another font changes nothing. */
const CHAR_WIDTH = FONT_SIZE * 0.6;
const LINE_HEIGHT = 20;
const PADDING = 20;
const BAR = 26;
const GAP = 16;
/** A line that begins with a time of day is an alarm. */
const ALARM = /^\d\d:\d\d:\d\d\.\d{3} /;

function terminal(lines: readonly string[], width: number, top: number, height: number): string {
  const lights = [18, 36, 54].map((x) => `<circle cx="${x}" cy="${top + BAR / 2}" r="5" fill="#5b6b7c"/>`);
  const rows = lines.flatMap((line, index) =>
    line === "" ? [] : [row(line, index, top + BAR + PADDING + index * LINE_HEIGHT)],
  );
  return [
    `<rect class="frame" x="0.5" y="${top + 0.5}" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<path class="bar" d="M1 ${top + BAR}V${top + 9}a8 8 0 0 1 8-8H${width - 9}a8 8 0 0 1 8 8V${top + BAR}z"/>`,
    ...lights,
    ...rows,
  ].join("\n");
}

function row(line: string, index: number, y: number): string {
  const kind = index === 0 ? ' class="typed"' : ALARM.test(line) ? ' class="alarm"' : "";
  const indent = line.length - line.trimStart().length;
  const text = line.trim();
  const [x, length] = [PADDING + indent * CHAR_WIDTH, text.length * CHAR_WIDTH].map((value) =>
    value.toFixed(1),
  );
  return `<text x="${x}" y="${y}"${kind} textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
