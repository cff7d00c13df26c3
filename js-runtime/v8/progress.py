"""The progress of a build: steps done and minutes left, as one line on a terminal, a line now and then elsewhere."""

import time

LINE_EVERY_S = 30
REDRAW_EVERY_S = 1


class Progress:
    """Counts finished steps. Steps differ from 10 ms to a minute, so the time left is judged by their weights."""

    def __init__(self, weights, stream, clock=time.monotonic):
        """`weights` gives the usual seconds of every step that is still to do, by its description."""
        self.weights = weights
        self.stream = stream
        self.clock = clock
        self.total_s = sum(weights.values())
        self.done, self.done_s = 0, 0.0
        self.began = clock()
        self.shown = None

    def finish(self, step):
        """Counts one step as done and shows it when it is time to."""
        self.done += 1
        self.done_s += self.weights.get(step, 0)
        self.show()

    def text(self):
        """The line without its end."""
        elapsed_s = self.clock() - self.began
        left = "estimating"
        if self.done_s:
            left_s = elapsed_s * (self.total_s - self.done_s) / self.done_s
            left = f"{left_s / 60:.0f} min left" if left_s >= 90 else "about a minute left"
        return f"v8: {self.done}/{len(self.weights)} steps, {elapsed_s / 60:.0f} min gone, {left}"

    def show(self, now=False):
        """Writes the line if enough time has passed since it was last written."""
        terminal = self.stream.isatty()
        pause_s = REDRAW_EVERY_S if terminal else LINE_EVERY_S
        if now or self.shown is None or self.clock() - self.shown >= pause_s:
            self.shown = self.clock()
            self.stream.write(f"\r\033[K{self.text()}" if terminal else f"{self.text()}\n")
            self.stream.flush()

    def clear(self):
        """Takes the line off a terminal before something else is written."""
        if self.stream.isatty():
            self.stream.write("\r\033[K")
            self.stream.flush()
