import type { PlanSlots } from "@corral/protocol";
import { FairShare } from "./fair-share.ts";

/** A batch request that waited so long is treated as if somebody were waiting for it, ms: it gives way, but never for ever. */
const batchPatienceMs = 60_000;
/** Somebody who asked something within this time is expected to ask again, ms. */
const presenceMs = 600_000;

export interface Admission {
  user: string;
  priority: "interactive" | "batch";
  weight: number;
  /** Prompt and room for the reply: what the slot has to hold. Tokens. */
  tokens: number;
  /** Expected, as by `costOf`. */
  cost: number;
  /** How many requests of this user may run at a time. */
  concurrent: number;
}

/** A request in the queue or in a slot. */
export interface Ticket extends Admission {
  readonly number: number;
  /** When it came, ms. */
  readonly since: number;
  /** The smallest slot that holds it. Tokens. */
  readonly least: number;
  /** The slot it is in; null: it waits. */
  slot: number | null;
  /** When it was given its slot. */
  startedAt: number;
}

/**
 * Who gets the next slot. A request takes the smallest slot that holds it, and a larger one only while nobody waits who needs
 * that. Users share by tokens (see fair-share.ts), batch requests give way to interactive ones, and of several slots one is
 * kept from whoever has others already, for somebody who was here lately and may ask again: a short question must not wait
 * for the end of another's fifty long ones. Pure: the time is given, in ms of any monotonic clock.
 */
export class AdmissionQueue {
  /** Smallest first. */
  readonly slots: readonly PlanSlots[];
  readonly #waiting: Ticket[] = [];
  readonly #running = new Set<Ticket>();
  readonly #share = new FairShare();
  /** When each user was last here. */
  readonly #seen = new Map<string, number>();
  #numbers = 0;

  constructor(slots: readonly PlanSlots[]) {
    this.slots = slots.toSorted((a, b) => a.contextSize - b.contextSize);
  }

  get waiting(): readonly Ticket[] {
    return this.#waiting;
  }

  get running(): ReadonlySet<Ticket> {
    return this.#running;
  }

  /** The most tokens a request may need. */
  get largest(): number {
    return this.slots.at(-1)?.contextSize ?? 0;
  }

  get free(): number {
    return this.slots.reduce((sum, { count }) => sum + count, 0) - this.#running.size;
  }

  waitingOf(user: string): number {
    return this.#waiting.filter((ticket) => ticket.user === user).length;
  }

  busy(contextSize: number): number {
    let count = 0;
    for (const { slot } of this.#running) if (slot === contextSize) count++;
    return count;
  }

  /** Queues a request that some slot holds. */
  enqueue(admission: Admission, now: number): Ticket {
    const least = this.slots.find(({ contextSize }) => contextSize >= admission.tokens)?.contextSize;
    if (least === undefined) throw new RangeError("No slot holds this request.");
    const { user } = admission;
    if (!this.#isHere(user)) this.#share.arrive(user);
    for (const [other, at] of this.#seen) if (now - at >= presenceMs) this.#seen.delete(other);
    this.#seen.set(user, now);
    const ticket = { ...admission, number: ++this.#numbers, since: now, least, slot: null, startedAt: 0 };
    this.#waiting.push(ticket);
    return ticket;
  }

  /** Gives the next request its slot; null: nobody waits who could have one. */
  admitNext(now: number): Ticket | null {
    for (const ticket of this.order(now)) {
      const slot = this.#slotFor(ticket, now);
      if (slot === null) continue;
      this.#waiting.splice(this.#waiting.indexOf(ticket), 1);
      ticket.slot = slot;
      ticket.startedAt = now;
      this.#running.add(ticket);
      this.#share.start(ticket.user, ticket.cost, ticket.weight);
      return ticket;
    }
    return null;
  }

  /** A waiting request leaves. */
  withdraw(ticket: Ticket): void {
    const at = this.#waiting.indexOf(ticket);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#forgetWhenEmpty();
  }

  /** A running request ends. @param cost what it really cost */
  finish(ticket: Ticket, cost: number, now: number): void {
    if (!this.#running.delete(ticket)) return;
    this.#share.correct(ticket.user, cost - ticket.cost, ticket.weight);
    this.#seen.set(ticket.user, now);
    this.#forgetWhenEmpty();
  }

  /** Those who wait in the order they go, as far as their slots allow. */
  order(now: number): Ticket[] {
    const tags = new Map<string, number>();
    const isUrgent = ({ priority, since }: Ticket) => priority === "interactive" || now - since >= batchPatienceMs;
    const inTurn = this.#waiting
      .map((ticket) => ({ ticket, isUrgent: isUrgent(ticket), tag: 0 }))
      .toSorted((a, b) => Number(b.isUrgent) - Number(a.isUrgent) || a.ticket.number - b.ticket.number);
    for (const entry of inTurn) {
      const { user, cost, weight } = entry.ticket;
      entry.tag = tags.get(user) ?? this.#share.waitingTag(user);
      tags.set(user, entry.tag + cost / weight);
    }
    return inTurn
      .toSorted((a, b) => Number(b.isUrgent) - Number(a.isUrgent) || a.tag - b.tag || a.ticket.number - b.ticket.number)
      .map(({ ticket }) => ticket);
  }

  #slotFor(ticket: Ticket, now: number): number | null {
    let runsOwn = 0;
    for (const { user } of this.#running) if (user === ticket.user) runsOwn++;
    if (runsOwn >= ticket.concurrent) return null;
    const isLast = this.free === 1 && this.#running.size > 0;
    if (isLast && this.#givesWay(ticket, runsOwn, now)) return null;
    for (const { contextSize, count } of this.slots) {
      if (contextSize < ticket.least || this.busy(contextSize) >= count) continue;
      const isNeeded = this.#waiting.some(({ least }) => least > ticket.least && least <= contextSize);
      if (!isNeeded) return contextSize;
    }
    return null;
  }

  /** Whether the last free slot is kept from this request. */
  #givesWay({ user, priority, since }: Ticket, runsOwn: number, now: number): boolean {
    if (priority === "batch" && now - since < batchPatienceMs) return true;
    if (runsOwn === 0) return false;
    // Those who wait or run something have their turn by their share; who has gone for a moment has only this slot.
    for (const [other, at] of this.#seen) {
      if (other !== user && now - at < presenceMs && !this.#isHere(other)) return true;
    }
    return false;
  }

  #isHere(user: string): boolean {
    if (this.#waiting.some((ticket) => ticket.user === user)) return true;
    for (const ticket of this.#running) if (ticket.user === user) return true;
    return false;
  }

  #forgetWhenEmpty(): void {
    if (this.#waiting.length === 0 && this.#running.size === 0) this.#share.reset();
  }
}
