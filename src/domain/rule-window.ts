// A stretch of time in which a rule holds: of every day, of every year, or once; local wall-clock time.

/** The parts of a moment that can be compared, the greatest first. */
export const WINDOW_FIELDS = ["year", "month", "day", "hour", "minute", "second"] as const;
export type WindowField = (typeof WINDOW_FIELDS)[number];

/** Values of the fields, as people write them: months from 1, hours from 0. */
export type FieldValues = Readonly<Partial<Record<WindowField, number>>>;

export interface RuleWindow {
  /**
   * What is compared, the greatest first. The first one says how often the window comes: "hour" every day, "month"
   * every year, "year" once. The last one says how long its last moment is: a whole minute, or a second.
   */
  readonly fields: readonly WindowField[];
  /** As `windowPosition` gives it; both ends belong to the window. `from` after `to`: over midnight, or New Year. */
  readonly from: number;
  readonly to: number;
  /** As it was written: "9:30 pm to 1:00 am". */
  readonly words: string;
}

/** Whether the moment is inside, and the weekday (0 = Sunday) that counts for it. */
export interface WindowLook {
  readonly holds: boolean;
  readonly weekday: number;
}

/**
 * Looks at a moment (ms since 1970). Only the hands of the clock on the wall count: a stretch the clocks leave out
 * in spring never comes, one they repeat in autumn holds both times. The weekday is that of the day on which a daily
 * window began, so that "Fri, 10 pm to 2 am" includes the first hours of Saturday and not those of Friday.
 */
export function lookAt(window: RuleWindow, at: number): WindowLook {
  const date = new Date(at);
  const position = windowPosition(window.fields, valuesOf(date));
  const { from, to } = window;
  if (from <= to) return { holds: from <= position && position <= to, weekday: date.getDay() };
  const isSecondPart = position <= to;
  const isDaily = window.fields[0] === "hour";
  const weekday = isSecondPart && isDaily ? (date.getDay() + 6) % 7 : date.getDay();
  return { holds: isSecondPart || position >= from, weekday };
}

/** A number that grows with the moment, of the given fields alone. */
export function windowPosition(fields: readonly WindowField[], values: FieldValues): number {
  return fields.reduce((position, field) => position * SIZES[field] + (values[field] ?? 0), 0);
}

/** More than the largest value of each. */
const SIZES: Readonly<Record<WindowField, number>> = {
  year: 10_000,
  month: 13,
  day: 32,
  hour: 24,
  minute: 60,
  second: 60,
};

function valuesOf(date: Date): FieldValues {
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
  };
}
