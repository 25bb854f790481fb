// Asks a person on a terminal; or, where nobody is to be asked, takes the answer that is offered.
import { createInterface } from "node:readline/promises";
import { Readable, Writable } from "node:stream";
import { askPassword } from "../ask-password.ts";
import type { CommandIo } from "../command.ts";

export interface Questions {
  /** Whether there is somebody to ask. */
  readonly isAsking: boolean;
  /** `preset` is taken for an empty answer. Asks again while `fault` finds one. */
  text(question: string, preset: string, fault?: (answer: string) => string | null): Promise<string>;
  yes(question: string, preset: boolean): Promise<boolean>;
  /** By number; the first is offered. */
  choose<T>(question: string, choices: readonly Choice<T>[]): Promise<T>;
  /** Not shown while it is typed; "" where nobody is asked. */
  secret(question: string): Promise<string>;
}

export interface Choice<T> {
  readonly label: string;
  readonly value: T;
}

/** The person pressed Ctrl-C or Ctrl-D instead of answering. */
export class Abandoned extends Error {}

/** Takes what is offered, every time. */
export function noQuestions(): Questions {
  return {
    isAsking: false,
    text: async (_question, preset) => preset,
    yes: async (_question, preset) => preset,
    choose: async (_question, [first]) => {
      if (first === undefined) throw new Error("nothing to choose from");
      return first.value;
    },
    secret: async () => "",
  };
}

/** Null where there is no terminal. Every answer may throw Abandoned. */
export function terminalQuestions(io: CommandIo): Questions | null {
  const { stdin, stdout } = io;
  if (stdin.isTTY !== true || !(stdin instanceof Readable && stdout instanceof Writable)) return null;
  const ask = (question: string): Promise<string> => askLine(question, stdin, stdout);

  const questions: Questions = {
    isAsking: true,
    async text(question, preset, fault = () => null) {
      for (;;) {
        const answer = (await ask(`${question}${preset === "" ? "" : ` [${preset}]`}: `)).trim() || preset;
        const wrong = fault(answer);
        if (wrong === null) return answer;
        io.stdout.write(`${wrong}\n`);
      }
    },
    async yes(question, preset) {
      for (;;) {
        const answer = (await ask(`${question} [${preset ? "Y/n" : "y/N"}]: `)).trim().toLowerCase();
        if (answer === "") return preset;
        if (/^(y|yes|n|no)$/.test(answer)) return answer.startsWith("y");
      }
    },
    async choose(question, choices) {
      const lines = choices.map(({ label }, index) => `  ${index + 1}  ${label}\n`);
      io.stdout.write(`${question}\n${lines.join("")}`);
      const answer = await questions.text("Number", "1", (text) =>
        choices[Number(text) - 1] === undefined ? `Please type a number from 1 to ${choices.length}.` : null,
      );
      const chosen = choices[Number(answer) - 1];
      if (chosen === undefined) throw new Error("nothing to choose from");
      return chosen.value;
    },
    async secret(question) {
      const answer = await askPassword(`${question}: `, io);
      if (answer === null) throw new Abandoned();
      return answer.trim();
    },
  };
  return questions;
}

/** One line; a new reader each time, since a password is read in between by other means. */
async function askLine(question: string, input: Readable, output: Writable): Promise<string> {
  const reader = createInterface({ input, output, terminal: true });
  const given = Promise.withResolvers<never>();
  reader.once("SIGINT", () => given.reject(new Abandoned()));
  reader.once("close", () => given.reject(new Abandoned()));
  given.promise.catch(() => undefined);
  try {
    return await Promise.race([reader.question(question), given.promise]);
  } finally {
    reader.close();
  }
}
