// ONNX files of our own: a real runtime loads and runs them.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import {
  encodeOnnx,
  floatTensor,
  int64Tensor,
  type OnnxModel,
  onnxChunks,
} from "../../../src/detect/onnx/onnx-writer.ts";

/** LeakyRelu(input * weights), reshaped: float, ints and tensor attributes, both kinds of initializers. */
const MODEL: OnnxModel = {
  name: "small",
  opset: 13,
  metadata: { names: "{0: 'person'}", stride: "32" },
  inputs: [{ name: "input", type: "float32", dims: ["batch", 2] }],
  outputs: [
    { name: "output", type: "float32", dims: [2, "batch"] },
    { name: "one", type: "int64", dims: [1] },
  ],
  nodes: [
    { op: "MatMul", inputs: ["input", "weights"], outputs: ["product"] },
    { op: "LeakyRelu", inputs: ["product"], outputs: ["active"], attributes: { alpha: { float: 0.5 } } },
    { op: "Transpose", inputs: ["active"], outputs: ["turned"], attributes: { perm: { ints: [1, 0] } } },
    { op: "Reshape", inputs: ["turned", "shape"], outputs: ["output"] },
    {
      op: "Constant",
      inputs: [],
      outputs: ["one"],
      attributes: { value: { tensor: int64Tensor("", [1], [-7]) } },
    },
  ],
  initializers: [floatTensor("weights", [2, 2], [1, 2, 3, -4]), int64Tensor("shape", [2], [2, -1])],
};

test("a runtime loads a written graph and computes with it", async () => {
  const session = await InferenceSession.create(encodeOnnx(MODEL));
  const { output, one } = await session.run({ input: new Tensor("float32", [1, 1, 2, 0], [2, 2]) });
  expect(output?.dims).toEqual([2, 2]);
  expect(output?.data).toEqual(Float32Array.of(4, 2, -1, 4));
  expect(one?.data).toEqual(BigInt64Array.of(-7n));
  await session.release();
});

test("names of dimensions and sizes arrive as they were said", async () => {
  const session = await InferenceSession.create(encodeOnnx(MODEL));
  expect(session.inputMetadata[0]).toMatchObject({ name: "input", type: "float32", shape: ["batch", 2] });
  expect(session.outputMetadata.map(({ name }) => name)).toEqual(["output", "one"]);
  await session.release();
});

test("values are fetched one tensor at a time, while the file is written", () => {
  const fetched: string[] = [];
  const lazy = (name: string) => ({
    name,
    type: "float32" as const,
    dims: [2, 2],
    data: () => {
      fetched.push(name);
      return new Float32Array(4);
    },
  });
  const chunks = onnxChunks({ ...MODEL, initializers: [lazy("a"), lazy("b")] });
  for (const chunk of chunks) if (chunk.length === 16 && fetched.length === 1) break;
  expect(fetched).toEqual(["a"]);
});

test("values that do not fill the dimensions are refused by name", () => {
  const wrong = { ...MODEL, initializers: [floatTensor("weights", [2, 2], [1, 2, 3])] };
  expect(() => encodeOnnx(wrong)).toThrow("Tensor weights of [2, 2] takes 16 bytes, not 12");
});
