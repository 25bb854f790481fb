import { expect, test } from "vitest";
import { createRetainedTopics } from "../../../src/channels/mqtt/state.ts";
import { eventually } from "../../support/eventually.ts";

/** A broker that answers when the test says so. */
function aBroker() {
  const sent: { topic: string; payload: string; answer: PromiseWithResolvers<void> }[] = [];
  const refused: string[] = [];
  const broker = { isUp: true, sent, refused, texts: () => sent.map(({ payload }) => payload) };
  const retained = createRetainedTopics({
    isUp: () => broker.isUp,
    send(topic, payload) {
      const answer = Promise.withResolvers<void>();
      sent.push({ topic, payload: String(payload), answer });
      return answer.promise;
    },
    onRefused: (topic) => refused.push(topic),
  });
  return { broker, retained, answer: (index: number) => sent[index]?.answer };
}

test("however often a value changes, one message per topic is under way, and the newest comes next", async () => {
  const { broker, retained, answer } = aBroker();
  for (const value of ["1", "2", "3", "4"]) retained.set("a", value);
  retained.set("b", "1");
  expect(broker.texts()).toEqual(["1", "1"]);
  answer(0)?.resolve();
  await eventually(() => expect(broker.texts()).toEqual(["1", "1", "4"]));
});

test("the same value is not sent twice over one connection, and once more over the next", () => {
  const { broker, retained } = aBroker();
  broker.isUp = false;
  retained.set("a", "1");
  retained.set("a", "1");
  expect(broker.texts()).toEqual([]);
  broker.isUp = true;
  retained.sendAll();
  retained.set("a", "1");
  expect(broker.texts()).toEqual(["1"]);
});

test("a topic that was cleared is forgotten once the broker took it, and not before", async () => {
  const { broker, retained, answer } = aBroker();
  retained.clear("a");
  broker.isUp = false;
  answer(0)?.reject(new Error("the connection was closed"));
  await new Promise((resolve) => setImmediate(resolve));
  broker.isUp = true;
  retained.sendAll();
  expect(broker.texts()).toEqual(["", ""]);
  answer(1)?.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  retained.sendAll();
  expect(broker.texts()).toEqual(["", ""]);
  expect(broker.refused).toEqual([]);
});

test("what is refused is said, and tried again over the next connection only", async () => {
  const { broker, retained, answer } = aBroker();
  retained.set("a", "1");
  answer(0)?.reject(new Error("not authorized"));
  await eventually(() => expect(broker.refused).toEqual(["a"]));
  expect(broker.texts()).toEqual(["1"]);
  retained.sendAll();
  expect(broker.texts()).toEqual(["1", "1"]);
});
