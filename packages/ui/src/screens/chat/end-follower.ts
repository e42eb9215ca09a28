/** As close to the end as counts as being there, CSS pixels. */
const END_SLACK = 48;

type Scroller = Pick<HTMLElement, "scrollTop" | "scrollHeight" | "clientHeight">;

/**
 * Keeps a scroller at its end while the reader is there, and where the reader is otherwise. Only scrolling back leaves the
 * end: the event of a scroll comes a frame late, when an answer may have grown by more than the slack already.
 */
export class EndFollower {
  #follows = true;
  #top = 0;

  /** Whether the reader has left the end. */
  get away(): boolean {
    return !this.#follows;
  }

  toEnd(scroller: Scroller): void {
    this.#follows = true;
    scroller.scrollTop = scroller.scrollHeight;
    this.#top = scroller.scrollTop;
  }

  /** To be called whenever the content or the scroller has another size. */
  resized(scroller: Scroller): void {
    if (this.#follows) this.toEnd(scroller);
  }

  /** To be called on every scroll event. */
  scrolled(scroller: Scroller): void {
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    if (scrollHeight - scrollTop - clientHeight < END_SLACK) this.#follows = true;
    else if (scrollTop < this.#top) this.#follows = false;
    this.#top = scrollTop;
  }
}
