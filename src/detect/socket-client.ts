// Asks the resident detector of the running server, for commands that would otherwise load their models themselves.
import type { DetectionFailure } from "./detector.ts";
import type { DetectionAnswer } from "./job.ts";
import { parseAnswer } from "./resident/messages.ts";
import { askOnce, type QuestionOptions, type Unreachable } from "./socket-question.ts";

/** `askOnce`, with all of the answer checked. */
export function askDetector(
  options: Omit<QuestionOptions<DetectionAnswer>, "readAnswer">,
): Promise<DetectionAnswer | DetectionFailure | Unreachable> {
  return askOnce({ ...options, readAnswer: parseAnswer });
}
