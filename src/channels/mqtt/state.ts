// What the broker should remember: one value per topic, the newest wins, sent afresh over every new connection.

/** "" makes the broker forget the topic. */
type Payload = string | Buffer;

export interface RetainedTopics {
  /** Sent now if there is a connection, else with the next one; the same value is not sent twice over one. */
  set(topic: string, payload: Payload): void;
  /** Makes the broker forget the topic, and then forgets it here as well. */
  clear(topic: string): void;
  /** Sends everything: the connection is new, or somebody asked. */
  sendAll(): void;
}

export interface RetainedTopicsDeps {
  readonly isUp: () => boolean;
  readonly send: (topic: string, payload: Payload) => Promise<void>;
  /** A value was not taken although there is a connection; it is tried again over the next one. */
  readonly onRefused: (topic: string, failure: unknown) => void;
}

/** At most one message per topic is under way and none waits, so that nothing piles up however slow the broker is. */
export function createRetainedTopics({ isUp, send, onRefused }: RetainedTopicsDeps): RetainedTopics {
  const wanted = new Map<string, Payload>();
  const unsent = new Set<string>();
  const underWay = new Set<string>();

  return {
    set,
    clear: (topic) => set(topic, ""),
    sendAll() {
      for (const topic of wanted.keys()) unsent.add(topic);
      for (const topic of wanted.keys()) void push(topic);
    },
  };

  function set(topic: string, payload: Payload): void {
    const before = wanted.get(topic);
    if (before === payload && typeof payload === "string") return;
    wanted.set(topic, payload);
    unsent.add(topic);
    void push(topic);
  }

  async function push(topic: string): Promise<void> {
    if (underWay.has(topic)) return;
    underWay.add(topic);
    while (unsent.has(topic) && isUp()) {
      unsent.delete(topic);
      const payload = wanted.get(topic) ?? "";
      try {
        await send(topic, payload);
        if (payload === "" && wanted.get(topic) === "") wanted.delete(topic);
      } catch (failure) {
        if (isUp()) onRefused(topic, failure);
        // Not in `unsent`: sendAll brings it back with the next connection.
      }
    }
    underWay.delete(topic);
  }
}
