import { describe, expect, it } from "vitest";
import { EvaluationPace, type Evaluation } from "./evaluation-pace.ts";

/** Reads a prompt alone on a machine of that speed; answers the sizes and times of the steps. */
function read(pace: EvaluationPace, evaluation: Evaluation, msOf: (tokens: number) => number) {
  const steps: { tokens: number; ms: number }[] = [];
  while (evaluation.left > 0) {
    const tokens = pace.nextStep(evaluation);
    const ms = msOf(tokens);
    pace.note(tokens, ms);
    steps.push({ tokens, ms });
    evaluation.left -= tokens;
  }
  pace.end(evaluation);
  return steps;
}

const settled = <Item>(items: Item[]) => items.slice(8, -1);

describe("the steps a prompt is read in", () => {
  it("take no longer than a stop may, whatever the model", () => {
    for (const tokensPerMs of [0.002, 0.1, 3]) {
      const pace = new EvaluationPace({ isCpu: true, batchSize: 512 });
      const steps = read(pace, pace.begin(20_000), (tokens) => tokens / tokensPerMs);
      for (const { tokens, ms } of settled(steps)) if (tokens > 1) expect(ms).toBeLessThanOrEqual(225);
    }
  });

  it("are whole batches on a GPU that is fast enough", () => {
    const pace = new EvaluationPace({ isCpu: false, batchSize: 512 });
    const steps = read(pace, pace.begin(20_000), (tokens) => 8 + tokens / 10);
    expect(settled(steps).every(({ tokens }) => tokens === 512)).toBe(true);
  });

  it("are long enough on a CPU for its attention to work in tiles, though short steps measured slow", () => {
    const pace = new EvaluationPace({ isCpu: true, batchSize: 128 });
    const steps = read(pace, pace.begin(2000), (tokens) => (tokens < 64 ? tokens / 0.335 : tokens / 1.3));
    expect(settled(steps).every(({ tokens }) => tokens >= 64)).toBe(true);
  });

  it("grow again after other programs had the machine for a while", () => {
    const pace = new EvaluationPace({ isCpu: true, batchSize: 128 });
    const msOf = (tokens: number) => (tokens < 64 ? tokens / 0.335 : tokens / 1.3);
    read(pace, pace.begin(1000), (tokens) => 50 * msOf(tokens));
    const steps = read(pace, pace.begin(10_000), msOf);
    expect(steps.slice(-20, -1).every(({ tokens }) => tokens >= 64)).toBe(true);
  });

  it("follow a speed that falls as the context fills", () => {
    const pace = new EvaluationPace({ isCpu: false, batchSize: 512 });
    const evaluation = pace.begin(100_000);
    const steps = read(pace, evaluation, (tokens) => (tokens / 5) * (1 + (100_000 - evaluation.left) / 10_000));
    expect(steps.at(-10)!.ms).toBeLessThan(200);
  });

  it("are one token at the least", () => {
    const pace = new EvaluationPace({ isCpu: true, batchSize: 128 });
    const evaluation = pace.begin(50);
    pace.note(8, 60_000);
    expect(pace.nextStep(evaluation)).toBe(1);
  });
});

describe("with others at work", () => {
  const fast = () => {
    const pace = new EvaluationPace({ isCpu: false, batchSize: 512 });
    pace.note(512, 300);
    return pace;
  };

  it("steps are short while somebody's reply is written, and long again afterwards", () => {
    const pace = fast();
    const reading = pace.begin(10_000);
    const alone = pace.nextStep(reading);
    const writing = pace.begin(0);
    expect(pace.nextStep(reading)).toBeLessThanOrEqual(alone / 2);
    pace.end(writing);
    expect(pace.nextStep(reading)).toBe(alone);
  });

  it("a long prompt gives way to a short one, which does not give way", () => {
    const pace = fast();
    const long = pace.begin(10_000);
    const short = pace.begin(300);
    expect(pace.nextStep(long)).toBeLessThanOrEqual(64);
    expect(pace.nextStep(short)).toBeGreaterThan(200);
  });

  it("the time others compute does not count as the time a step takes", async () => {
    const pace = fast();
    const handedOver = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 40));
    // Another context's batch, begun before.
    pace.batchDone(handedOver - 100);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const ms = pace.batchDone(handedOver);
    expect(ms).toBeLessThan(performance.now() - handedOver - 35);
    expect(pace.batchDone(performance.now())).toBeLessThan(ms);
  });
});
