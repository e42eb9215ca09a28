import { describe, expect, it } from "vitest";
import { AdmissionQueue, type Admission, type Ticket } from "./admission-queue.ts";
import { costOf } from "./fair-share.ts";

const request = (given: Partial<Admission> = {}): Admission => ({
  user: "a",
  priority: "interactive",
  weight: 1,
  tokens: 1000,
  cost: 1000,
  concurrent: Infinity,
  ...given,
});

const admitAll = (queue: AdmissionQueue, now: number) => {
  const admitted: Ticket[] = [];
  for (let next = queue.admitNext(now); next; next = queue.admitNext(now)) admitted.push(next);
  return admitted;
};

describe("slots", () => {
  const slots = [
    { contextSize: 131_072, count: 1 },
    { contextSize: 8192, count: 2 },
  ];

  it("gives a request the smallest slot that holds it", () => {
    const queue = new AdmissionQueue(slots);
    const sizes = [100, 8192, 8193].map(
      (tokens, user) => queue.enqueue(request({ tokens, user: `${user}` }), 0).number,
    );
    expect(admitAll(queue, 0).map(({ number, slot }) => [number, slot])).toEqual([
      [sizes[0], 8192],
      [sizes[1], 8192],
      [sizes[2], 131_072],
    ]);
  });

  it("gives a short request the long slot while nobody waits for that, and not when somebody does", () => {
    const queue = new AdmissionQueue(slots);
    for (const user of ["a", "b", "c"]) queue.enqueue(request({ user }), 0);
    expect(admitAll(queue, 0).map(({ slot }) => slot)).toEqual([8192, 8192, 131_072]);
    const long = queue.enqueue(request({ user: "d", tokens: 100_000, cost: 100_000 }), 1);
    const short = queue.enqueue(request({ user: "e" }), 2);
    const [first] = queue.running;
    for (const ticket of queue.running) if (ticket.slot === 131_072) queue.finish(ticket, 1000, 3);
    expect(admitAll(queue, 3)).toEqual([long]);
    if (first) queue.finish(first, 1000, 4);
    expect(admitAll(queue, 4)).toEqual([short]);
  });

  it("lets a short request pass a long one that has to wait for its slot", () => {
    const queue = new AdmissionQueue(slots);
    queue.enqueue(request({ user: "a", tokens: 50_000 }), 0);
    queue.enqueue(request({ user: "b", tokens: 50_000 }), 0);
    const short = queue.enqueue(request({ user: "c" }), 1);
    expect(admitAll(queue, 1)).toContain(short);
    expect(queue.waiting.map(({ user }) => user)).toEqual(["b"]);
  });

  it("knows what no slot holds", () => {
    const queue = new AdmissionQueue(slots);
    expect(queue.largest).toBe(131_072);
    expect(() => queue.enqueue(request({ tokens: 131_073 }), 0)).toThrow(RangeError);
  });

  it("keeps a user to the number of requests at a time that was set", () => {
    const queue = new AdmissionQueue(slots);
    for (let i = 0; i < 3; i++) queue.enqueue(request({ concurrent: 1 }), 0);
    expect(admitAll(queue, 0)).toHaveLength(1);
  });
});

describe("the last free slot", () => {
  const slots = [{ contextSize: 8192, count: 3 }];

  it("is kept from who has others, once somebody else was here", () => {
    const queue = new AdmissionQueue(slots);
    const other = queue.enqueue(request({ user: "b" }), 0);
    admitAll(queue, 0);
    queue.finish(other, 1000, 1);
    for (let i = 0; i < 5; i++) queue.enqueue(request(), 2);
    expect(admitAll(queue, 2)).toHaveLength(2);
    const again = queue.enqueue(request({ user: "b" }), 3);
    expect(admitAll(queue, 3)).toEqual([again]);
  });

  it("is given to anybody while nobody else was here for ten minutes", () => {
    const queue = new AdmissionQueue(slots);
    const other = queue.enqueue(request({ user: "b" }), 0);
    admitAll(queue, 0);
    queue.finish(other, 1000, 1);
    for (let i = 0; i < 5; i++) queue.enqueue(request(), 600_001);
    expect(admitAll(queue, 600_001)).toHaveLength(3);
  });

  it("is not taken by a batch request before that has waited a minute", () => {
    const queue = new AdmissionQueue(slots);
    for (const user of ["a", "b", "c"]) queue.enqueue(request({ user, priority: "batch" }), 0);
    expect(admitAll(queue, 0)).toHaveLength(2);
    expect(admitAll(queue, 59_999)).toHaveLength(0);
    expect(admitAll(queue, 60_000)).toHaveLength(1);
  });

  it("does not exist where there is only one", () => {
    const queue = new AdmissionQueue([{ contextSize: 8192, count: 1 }]);
    queue.enqueue(request({ priority: "batch" }), 0);
    expect(admitAll(queue, 0)).toHaveLength(1);
  });
});

describe("turns", () => {
  const one = [{ contextSize: 8192, count: 1 }];
  /** Users in the order their requests go on one slot, each costing what was expected. */
  const turns = (queue: AdmissionQueue, now = 0) => {
    const users: string[] = [];
    for (let next = queue.admitNext(now); next; next = queue.admitNext(now)) {
      users.push(next.user);
      queue.finish(next, next.cost, now);
    }
    return users;
  };

  it("alternate between users, whoever asked how often before", () => {
    const queue = new AdmissionQueue(one);
    for (let i = 0; i < 4; i++) queue.enqueue(request({ user: "a" }), 0);
    for (let i = 0; i < 2; i++) queue.enqueue(request({ user: "b" }), 1);
    expect(turns(queue)).toEqual(["a", "b", "a", "b", "a", "a"]);
  });

  it("go by tokens, not by requests", () => {
    const queue = new AdmissionQueue(one);
    for (let i = 0; i < 2; i++) queue.enqueue(request({ user: "a", cost: 4000 }), 0);
    for (let i = 0; i < 6; i++) queue.enqueue(request({ user: "b", cost: 1000 }), 0);
    expect(turns(queue).join("")).toBe("abbbbabb");
  });

  it("go by weight", () => {
    const queue = new AdmissionQueue(one);
    for (let i = 0; i < 4; i++) queue.enqueue(request({ user: "a", weight: 2 }), 0);
    for (let i = 0; i < 2; i++) queue.enqueue(request({ user: "b" }), 0);
    expect(turns(queue).join("")).toBe("abaaba");
  });

  it("are not saved up by who was away", () => {
    const queue = new AdmissionQueue(one);
    const running = request({ user: "a" });
    for (let i = 0; i < 10; i++) queue.enqueue(running, 0);
    for (let i = 0; i < 5; i++) queue.finish(queue.admitNext(0)!, 1000, 0);
    for (let i = 0; i < 3; i++) queue.enqueue(request({ user: "b" }), 1);
    expect(turns(queue, 1).join("")).toBe("bababaaa");
  });

  it("count what a request really cost once that is known", () => {
    const queue = new AdmissionQueue(one);
    for (const user of ["a", "b"]) for (let i = 0; i < 3; i++) queue.enqueue(request({ user }), 0);
    const first = queue.admitNext(0)!;
    expect(first.user).toBe("a");
    queue.finish(first, 3000, 0);
    expect(turns(queue).join("")).toBe("bbbaa");
  });

  it("come to batch requests after interactive ones, and after a minute like any other", () => {
    const queue = new AdmissionQueue(one);
    queue.enqueue(request({ user: "batch", priority: "batch" }), 0);
    for (let i = 0; i < 3; i++) queue.enqueue(request({ user: "b", cost: 100 }), 1);
    expect(queue.order(1).map(({ user }) => user)).toEqual(["b", "b", "b", "batch"]);
    expect(queue.order(60_000).map(({ user }) => user)).toEqual(["batch", "b", "b", "b"]);
  });
});

/** A machine whose slots each write at the same speed, played through in virtual time. */
class Simulation {
  readonly queue: AdmissionQueue;
  readonly served = new Map<string, number>();
  readonly waits = new Map<string, number[]>();
  readonly #ends: { at: number; ticket: Ticket }[] = [];
  now = 0;

  constructor(slots: number) {
    this.queue = new AdmissionQueue([{ contextSize: 16_384, count: slots }]);
  }

  ask(user: string, promptTokens: number, replyTokens: number, expected = replyTokens): void {
    const cost = costOf(promptTokens, expected);
    const ticket = this.queue.enqueue(request({ user, tokens: promptTokens + replyTokens, cost }), this.now);
    Object.assign(ticket, { really: { promptTokens, replyTokens } });
    this.#admit();
  }

  /** Goes on to a moment. Prompts are read at 2 tokens/ms, replies written at 0.05. */
  until(time: number, onEnd: (user: string) => void = () => undefined): void {
    for (;;) {
      this.#ends.sort((a, b) => a.at - b.at);
      const next = this.#ends[0];
      if (!next || next.at > time) break;
      this.#ends.shift();
      this.now = next.at;
      const { promptTokens, replyTokens } = reallyOf(next.ticket);
      const cost = costOf(promptTokens, replyTokens);
      this.served.set(next.ticket.user, (this.served.get(next.ticket.user) ?? 0) + cost);
      this.queue.finish(next.ticket, cost, this.now);
      onEnd(next.ticket.user);
      this.#admit();
    }
    this.now = time;
  }

  #admit(): void {
    for (const ticket of admitAll(this.queue, this.now)) {
      const { promptTokens, replyTokens } = reallyOf(ticket);
      this.#ends.push({ at: this.now + promptTokens / 2 + replyTokens / 0.05, ticket });
      const waits = this.waits.get(ticket.user) ?? [];
      this.waits.set(ticket.user, [...waits, this.now - ticket.since]);
    }
  }
}

function reallyOf(ticket: Ticket): { promptTokens: number; replyTokens: number } {
  return (ticket as Ticket & { really: { promptTokens: number; replyTokens: number } }).really;
}

const percentile95 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? NaN;

describe("a heavy user", () => {
  // Alone, a short chat of 200 tokens has its first token after 100 ms of reading and 20 ms of writing.
  const soloMs = 120;
  const chunkMs = 256;

  it.each([2, 4, 8])("with fifty long jobs does not hold up another's short chat, with %d slots", (slots) => {
    const machine = new Simulation(slots);
    machine.ask("b", 200, 100);
    machine.until(10_000);
    for (let i = 0; i < 50; i++) machine.ask("a", 8000, 500);
    for (let chat = 1; chat <= 30; chat++) {
      machine.ask("b", 200, 100);
      machine.until(10_000 + chat * 20_000);
    }
    const firstTokens = (machine.waits.get("b") ?? []).map((wait) => wait + soloMs);
    expect(firstTokens).toHaveLength(31);
    expect(percentile95(firstTokens)).toBeLessThanOrEqual(2 * soloMs + chunkMs);
    // And gets on with the rest.
    expect(machine.served.get("a") ?? 0).toBeGreaterThan(0);
  });

  it("holds another up for one job at most where there is one slot", () => {
    const machine = new Simulation(1);
    for (let i = 0; i < 50; i++) machine.ask("a", 8000, 500);
    for (let chat = 1; chat <= 10; chat++) {
      machine.ask("b", 200, 100);
      machine.until(chat * 40_000);
    }
    expect(Math.max(...(machine.waits.get("b") ?? []))).toBeLessThanOrEqual(8000 / 2 + 500 / 0.05);
  });
});

it.each([1, 3, 8])("equal users get equal shares whatever they ask for, with %d slots (Jain's index)", (slots) => {
  const machine = new Simulation(slots);
  const kinds: [string, number, number][] = [
    ["long prompts", 8000, 200],
    ["long replies", 200, 2000],
    ["chats", 300, 150],
    ["middling", 2000, 600],
  ];
  const ask = (user: string) => {
    const [, promptTokens, replyTokens] = kinds.find(([kind]) => kind === user)!;
    // Nobody knows beforehand how long a reply becomes.
    machine.ask(user, promptTokens, replyTokens, 500);
  };
  for (const [user] of kinds) for (let i = 0; i < 2 * slots; i++) ask(user);
  // As soon as one ends, its user asks again: everybody always wants more.
  machine.until(2 * 3_600_000, ask);
  const shares = kinds.map(([user]) => machine.served.get(user) ?? 0);
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  expect((sum * sum) / (shares.length * squares)).toBeGreaterThanOrEqual(0.95);
});
