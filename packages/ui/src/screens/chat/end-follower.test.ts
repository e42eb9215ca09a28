import { expect, test } from "vitest";
import { EndFollower } from "./end-follower.ts";

/** A box that scrolls as a browser's does: no further than its content. */
class Box {
  clientHeight = 100;
  scrollHeight = 1000;
  #top = 0;
  get scrollTop(): number {
    return Math.min(this.#top, this.scrollHeight - this.clientHeight);
  }
  set scrollTop(top: number) {
    this.#top = Math.max(0, Math.min(top, this.scrollHeight - this.clientHeight));
  }
}

function start() {
  const box = new Box();
  const follower = new EndFollower();
  follower.toEnd(box);
  return { box, follower };
}

test("content that grows is followed", () => {
  const { box, follower } = start();
  box.scrollHeight = 1300;
  follower.resized(box);
  expect(box.scrollTop).toBe(1200);
});

test("a scroll event that comes after the content has grown does not leave the end", () => {
  const { box, follower } = start();
  box.scrollHeight = 1300;
  follower.scrolled(box);
  expect(follower.away).toBe(false);
  follower.resized(box);
  expect(box.scrollTop).toBe(1200);
});

test("a scroller that becomes smaller still shows the end", () => {
  const { box, follower } = start();
  box.clientHeight = 60;
  follower.resized(box);
  expect(box.scrollTop).toBe(940);
});

test("whoever scrolls back stays there, until they are at the end again", () => {
  const { box, follower } = start();
  box.scrollTop = 500;
  follower.scrolled(box);
  expect(follower.away).toBe(true);
  box.scrollHeight = 1300;
  follower.resized(box);
  expect(box.scrollTop).toBe(500);
  box.scrollTop = 1190;
  follower.scrolled(box);
  expect(follower.away).toBe(false);
});
