// JSON exactly as Python's json.dumps prints it: ", " and ": ", floats as Python's repr, ASCII only.

/** A number that Python would hold as a float: 1 is printed as 1.0. */
interface PythonFloat {
  readonly float: number;
}

/** What can be printed. Plain numbers are integers. */
export type PythonValue =
  | null
  | string
  | number
  | PythonFloat
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/** The text json.dumps(value) returns with its default settings. */
export function pythonJson(value: PythonValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return asciiString(value);
  if (typeof value === "number") return String(Math.trunc(value));
  if (isList(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (isFloat(value)) return floatText(value.float);
  const members = Object.entries(value).map(([key, each]) => `${asciiString(key)}: ${pythonJson(each)}`);
  return `{${members.join(", ")}}`;
}

/** What Python's '{:.0%}' makes of a share: ties go to the even number, on the binary value (0.905 is 90%). */
export function pythonPercent(share: number): string {
  const hundredfold = share * 100;
  const below = Math.floor(hundredfold);
  const rest = hundredfold - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  return `${isUp ? below + 1 : below}%`;
}

function isList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

function isFloat(value: PythonFloat | { readonly [key: string]: PythonValue }): value is PythonFloat {
  return typeof value.float === "number" && Object.keys(value).length === 1;
}

/** JSON.stringify leaves DEL and everything beyond ASCII as they are; Python (ensure_ascii) escapes them. */
function asciiString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Both languages print the shortest digits that give the same number; they differ in when an exponent appears (Python:
 * below 1e-4 and from 1e16) and in how it looks.
 */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits = "", exponent = "0"] = value.toExponential().split("e");
    const sign = exponent.startsWith("-") ? "-" : "+";
    return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
  }
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}
