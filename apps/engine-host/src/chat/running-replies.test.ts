import { describe, expect, it } from "vitest";
import type { GenerationPart, Message } from "@corral/protocol";
import { RunningReplies, type RunningReply, type WriteReply } from "./running-replies.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { sampleMessage } from "./testing/sample-message.ts";

/** A reply whose text the test decides piece by piece. */
async function scriptedReply(replies: RunningReplies, conversationId = "conversation") {
  let live!: RunningReply;
  let signal!: AbortSignal;
  const ending = Promise.withResolvers<void>();
  const write: WriteReply = async (reply, stop) => {
    [live, signal] = [reply, stop];
    stop.addEventListener("abort", () => ending.resolve());
    await ending.promise;
    return { ...reply.message, state: stop.aborted ? "cancelled" : "complete" };
  };
  const reply = sampleMessage({ id: `reply of ${conversationId}`, conversationId });
  await replies.start(conversationId, async () => ({ reply, write }));
  await Promise.resolve();
  return {
    live,
    signal,
    say: (text: string) => live.publish({ type: "text-delta", text }),
    finish: () => ending.resolve(),
  };
}

async function collect(parts: AsyncIterable<GenerationPart>): Promise<GenerationPart[]> {
  const collected: GenerationPart[] = [];
  for await (const part of parts) collected.push(part);
  return collected;
}

/** The text a page would show after these parts. */
function shownText(parts: GenerationPart[]): string {
  return parts.reduce((text, part) => {
    if (part.type === "snapshot") return part.message.text;
    return part.type === "text-delta" ? text + part.text : text;
  }, "");
}

const forever = new AbortController().signal;

describe("following a reply", () => {
  it("gives what there is, then the rest, then the stored message", async () => {
    await using replies = new RunningReplies(new ManualClock());
    const { live, say, finish } = await scriptedReply(replies);
    say("The gate ");
    const following = collect(live.follow(forever));
    say("closes ");
    say("at six.");
    finish();
    const parts = await following;
    expect(parts[0]).toMatchObject({ type: "snapshot", message: { text: "The gate " } });
    expect(parts.at(-1)).toMatchObject({
      type: "finish",
      message: { text: "The gate closes at six.", state: "complete" },
    });
    expect(shownText(parts)).toBe("The gate closes at six.");
  });

  it("serves several followers, each at its own pace, without losing or repeating text", async () => {
    await using replies = new RunningReplies(new ManualClock());
    const { live, say, finish } = await scriptedReply(replies);
    const fast = collect(live.follow(forever));
    const slow = live.follow(forever);
    expect((await slow.next()).value).toMatchObject({ type: "snapshot" });
    for (let piece = 0; piece < 1000; piece++) {
      say(`${piece} `);
      live.publish({ type: "prefill-progress", done: piece, total: 1000 });
    }
    finish();
    await live.done;
    const rest = await collect(slow);
    // A thousand pieces wait as one, and of a thousand progress reports only the last.
    expect(rest.map((part) => part.type)).toEqual(["text-delta", "prefill-progress", "finish"]);
    expect(rest[1]).toMatchObject({ done: 999 });
    const whole = Array.from({ length: 1000 }, (_, piece) => `${piece} `).join("");
    expect(shownText(rest)).toBe(whole);
    expect(shownText(await fast)).toBe(whole);
  });

  it("ends quietly for a follower that leaves, and goes on for the others", async () => {
    await using replies = new RunningReplies(new ManualClock());
    const { live, say, finish } = await scriptedReply(replies);
    const leaving = new AbortController();
    const left = collect(live.follow(leaving.signal));
    const staying = collect(live.follow(forever));
    await Promise.resolve();
    leaving.abort();
    expect((await left).map((part) => part.type)).not.toContain("finish");
    say("still here");
    finish();
    expect(shownText(await staying)).toBe("still here");
  });

  it("gives the end at once when the reply just finished", async () => {
    await using replies = new RunningReplies(new ManualClock());
    const { live, finish } = await scriptedReply(replies);
    finish();
    await live.done;
    expect((await collect(live.follow(forever))).map((part) => part.type)).toEqual(["snapshot", "finish"]);
  });
});

describe("a reply nobody follows", () => {
  it("is stopped after 10 s, also when it was never followed", async () => {
    const clock = new ManualClock();
    await using replies = new RunningReplies(clock);
    const { signal, live } = await scriptedReply(replies);
    clock.pass(9_999);
    expect(signal.aborted).toBe(false);
    clock.pass(1);
    expect(signal.reason).toBe("unfollowed");
    await live.done;
    expect(live.message.state).toBe("cancelled");
  });

  it("is not stopped while one follower stays or comes back in time", async () => {
    const clock = new ManualClock();
    await using replies = new RunningReplies(clock);
    const { signal, live } = await scriptedReply(replies);
    const [first, second] = [new AbortController(), new AbortController()];
    const following = [collect(live.follow(first.signal)), collect(live.follow(second.signal))];
    await Promise.resolve();
    first.abort();
    clock.pass(60_000);
    expect(signal.aborted).toBe(false);
    second.abort();
    await Promise.all(following);
    clock.pass(9_000);
    const returned = live.follow(forever);
    await returned.next();
    clock.pass(60_000);
    expect(signal.aborted).toBe(false);
    await returned.return();
    clock.pass(10_000);
    expect(signal.reason).toBe("unfollowed");
  });
});

describe("the conversation", () => {
  it("takes one reply at a time, from the storing of the question on", async () => {
    await using replies = new RunningReplies(new ManualClock());
    const storing = Promise.withResolvers<Message>();
    const first = replies.start("conversation", async () => ({
      reply: await storing.promise,
      write: async (reply) => reply.message,
    }));
    const second = () => scriptedReply(replies);
    await expect(second()).rejects.toMatchObject({ code: "CONVERSATION_BUSY", data: { conversation: "conversation" } });
    await expect(scriptedReply(replies, "another")).resolves.toBeDefined();
    storing.resolve(sampleMessage());
    await first;
    await replies.find("reply")?.done;
    await expect(second()).resolves.toBeDefined();
  });

  it("is free again when the question could not be stored", async () => {
    await using replies = new RunningReplies(new ManualClock());
    await expect(replies.start("conversation", () => Promise.reject(new Error("disk")))).rejects.toThrow("disk");
    await expect(scriptedReply(replies)).resolves.toBeDefined();
  });

  it("is interrupted by a shutdown, which waits until the text is stored", async () => {
    const replies = new RunningReplies(new ManualClock());
    const { signal, live } = await scriptedReply(replies);
    const following = collect(live.follow(forever));
    await replies[Symbol.asyncDispose]();
    expect(signal.reason).toBe("shutdown");
    expect((await following).at(-1)?.type).toBe("finish");
    await expect(scriptedReply(replies)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
