// Where a list of messages stands: it follows what is new until the reader scrolls away from it.

const NEAR = 80; // px from the end that still count as "at the end"

const below = (scroller) => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
const newest = (scroller) => [...scroller.querySelectorAll(".message")].at(-1);

export class Scroll {
  constructor(scroller, moved = () => {}) {
    this.scroller = scroller;
    this.moved = moved;
    this.following = true;
    scroller.addEventListener(
      "scroll",
      () => {
        if (Math.abs(scroller.scrollTop - this.own) > 2) this.following = below(scroller) < NEAR;
        moved();
      },
      { passive: true },
    );
  }

  /** Makes `change` to the messages and shows what is new; an edit of what is on screen moves nothing. */
  around(change) {
    const atEnd = below(this.scroller) < NEAR;
    const before = newest(this.scroller)?.dataset.ts;
    change();
    if (this.following && newest(this.scroller)?.dataset.ts !== before) this.toNewest();
    else if (atEnd) this.toNewest(); // an edit made it grow
    this.moved();
  }

  /** The end; or the top of the newest message if it is taller than the view: a card is read from its headline. */
  toNewest() {
    const message = newest(this.scroller);
    this.following = true;
    if (!message) return;
    const top = message.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    this.to(message.offsetHeight > this.scroller.clientHeight ? top - HEADROOM : this.scroller.scrollHeight);
  }

  to(top) {
    this.scroller.scrollTop = top;
    this.own = this.scroller.scrollTop;
  }

  /** Whether the newest message begins below what can be seen. */
  get missesNews() {
    const message = newest(this.scroller);
    return Boolean(message) && message.getBoundingClientRect().top > this.scroller.getBoundingClientRect().bottom - 24;
  }
}

const HEADROOM = 36; // for the day's label
