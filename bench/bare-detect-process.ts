// The least that a detection can be: a picture decoded to the model's size and one run of onnxruntime, in a process that stays.
import { setPriority } from "node:os";
import * as ort from "onnxruntime-node";
import sharp from "sharp";
import { answerCalls } from "./child.ts";

export interface BareDetectOptions {
  readonly model: string;
  readonly picture: string;
  readonly threads: number;
  readonly niceness: number;
}

export interface BareDetectCalls {
  /** ms for one picture, from the file to the output tensor. */
  look(): Promise<number>;
}

const SIZE = 640;

await answerCalls(
  async ({ model, picture, threads, niceness }: BareDetectOptions): Promise<BareDetectCalls> => {
    setPriority(niceness);
    sharp.cache(false);
    sharp.concurrency(1);
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // As the product has it, for the sake of the cameras.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
    const input = new Float32Array(3 * SIZE * SIZE);
    return {
      async look() {
        const begun = performance.now();
        const background = { r: 114, g: 114, b: 114 };
        const pixels = await sharp(picture)
          .resize({ width: SIZE, height: SIZE, fit: "contain", background })
          .raw()
          .toBuffer();
        const area = SIZE * SIZE;
        for (let at = 0; at < area; at++) {
          input[at] = (pixels[3 * at] ?? 0) / 255;
          input[area + at] = (pixels[3 * at + 1] ?? 0) / 255;
          input[2 * area + at] = (pixels[3 * at + 2] ?? 0) / 255;
        }
        await session.run({ images: new ort.Tensor("float32", input, [1, 3, SIZE, SIZE]) });
        return performance.now() - begun;
      },
    };
  },
);
