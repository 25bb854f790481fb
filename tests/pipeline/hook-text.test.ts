import { expect, it } from "vitest";
import type { HookOutcome } from "../../src/domain/hook.ts";
import { causeOfEnd, endWithAnswer, notesOfEnd, withAnswer } from "../../src/pipeline/hook-text.ts";
import { anAlarm } from "../support/builders.ts";

const options = { use_hook_description: true, keep_frame_match_type: true };
const found: HookOutcome = { result: 0, text: "[a] detected:person", json: null, note: "ran" };
const alarm = anAlarm({ cause: "Motion All" });

it("the text of a hook stands before the cause", () => {
  expect(withAnswer(alarm, found, options, false).cause).toBe("[a] detected:person Motion All");
});

it("in old configurations it stands instead of the cause", () => {
  expect(withAnswer(alarm, found, options, true).cause).toBe("[a] detected:person");
});

it("the mark of the frame is left out where the configuration says so", () => {
  const cut = { ...options, keep_frame_match_type: false };
  expect(withAnswer(alarm, found, cut, false).cause).toBe("detected:person Motion All");
});

it("the cause stays as it is when the hook says no, or when nobody wants the text", () => {
  expect(withAnswer(alarm, { ...found, result: 1 }, options, false).cause).toBe("Motion All");
  const off = { ...options, use_hook_description: false };
  expect(withAnswer(alarm, found, off, false).cause).toBe("Motion All");
});

it.each([
  ["the notes", "Motion: All", "", "Motion: All"],
  [
    "the notes with the text that ZoneMinder overwrote",
    "Motion: All",
    "detected:car",
    "detected:car Motion: All",
  ],
  [
    "the notes that still hold the text",
    "detected:car Motion: All",
    "detected:car ",
    "detected:car Motion: All",
  ],
  ["the text although a zone is called alike", "Motion: scar", "car", "car Motion: scar"],
  ["what was known at the start, without notes", null, "", "Motion"],
])("an end is told with %s", (_, notes, text, expected) => {
  expect(causeOfEnd("Motion", notes, text)).toBe(expected);
});

it.each([
  ["echoes the notes", "detected:car Motion: All", "detected:car Motion: All"],
  ["finds more", "detected:dog", "detected:dog detected:car Motion: All"],
  ["prints something else", "done", "detected:car Motion: All"],
])("an end hook that %s says nothing twice", (_, text, expected) => {
  const ended = anAlarm({ phase: "ended", cause: "detected:car Motion: All" });
  expect(endWithAnswer(ended, { ...found, text }, options).cause).toBe(expected);
});

it.each([
  ["echoes the notes", "detected:car Motion: All", ""],
  ["echoes them behind what it found", "detected:dog detected:car Motion: All", "detected:dog"],
  ["finds more", "[s] detected:dog", "[s] detected:dog"],
  ["found the same", "detected:car", ""],
  ["prints something else", "done", ""],
])("of an end hook that %s, the notes get what is new", (_, text, expected) => {
  const cause = "detected:car Motion: All";
  expect(notesOfEnd(cause, { ...found, text }, options)).toBe(expected);
  expect(notesOfEnd(cause, { ...found, text, result: 1 }, options)).toBe("");
  expect(notesOfEnd(cause, { ...found, text }, { ...options, use_hook_description: false })).toBe("");
});
