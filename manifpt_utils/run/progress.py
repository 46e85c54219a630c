"""One bar over all chapters, with an estimate of the time that is left."""

import math

from tqdm import tqdm


class Progress:
    """Shows what is done and what is left while chapters are executed.

    Parameters
    ----------
    expected : dict of str to float
        Seconds that each chapter took when it was measured, on this machine or another
        one; None for a chapter that was never measured.
    jobs : int
        How many chapters run at a time.
    """

    def __init__(self, expected, *, jobs):
        known = [seconds for seconds in expected.values() if seconds]
        usual = sum(known) / len(known) if known else 1.0
        self.expected = {name: seconds or usual for name, seconds in expected.items()}
        self.is_measured, self.jobs = bool(known), jobs
        self.ended = {}  # seconds that chapters took on this machine
        # The bar is for people who watch; a log gets a line when something happens.
        form = {"bar_format": "{percentage:3.0f}%|{bar}| {desc}", "dynamic_ncols": True}
        total = sum(self.expected.values())
        self.bar = tqdm(total=total, disable=None, leave=False, **form)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()

    def show(self, running):
        """Draw the bar; `running` holds the seconds since each chapter began."""
        if not self.bar.disable:
            self.bar.n = work_done(self.expected, self.ended, running)
            names = ", ".join(running) or "none"
            self.bar.set_description_str(f"{self.told(running)}; running: {names}")

    def told(self, running):
        """How many chapters have ended, and how long the others will take, in words."""
        count = f"{len(self.ended)} of {len(self.expected)} chapters"
        if len(self.ended) == len(self.expected):
            return count
        if not (self.is_measured or self.ended):
            return f"{count}, time left unknown"
        left = seconds_left(self.expected, self.ended, running, jobs=self.jobs)
        return f"{count}, {roughly(left)} left"


def pace(expected, ended, running):
    """How many times longer chapters take on this machine than expected.

    A chapter that takes longer than expected counts before it has ended, so that on a
    slow machine the estimate grows from the first chapter on.

    Parameters
    ----------
    expected, ended, running : dict of str to float
        Seconds by chapter: measured before, for all chapters; measured now, for those
        that have ended; so far, for those that are running.

    Examples
    --------
    >>> pace({"a": 10, "b": 20}, {"a": 30}, {"b": 15})
    3.0
    """
    so_far = _ratio(ended, expected)
    late = {n: s for n, s in running.items() if s > so_far * expected[n]}
    return _ratio(ended | late, expected)


def _ratio(seconds, expected):
    """Seconds over expected seconds of the same chapters; 1 where there are none."""
    return sum(seconds.values()) / sum(expected[n] for n in seconds) if seconds else 1.0


def seconds_left(expected, ended, running, *, jobs):
    """Seconds until all chapters have ended, if they continue at the pace so far.

    Parameters are those of `pace`; `jobs` chapters run at a time.

    Examples
    --------
    >>> seconds_left({"a": 10, "b": 20, "c": 30}, {"a": 20}, {"b": 30}, jobs=1)
    70.0
    """
    slower = pace(expected, ended, running)
    left = [
        max(slower * expected[name] - running.get(name, 0), 0)
        for name in expected
        if name not in ended
    ]
    return max(sum(left) / jobs, *left, 0)


def work_done(expected, ended, running):
    """The part of the sum of `expected` that is done; parameters are those of `pace`.

    A chapter that is still running never counts as a whole.
    """
    slower = pace(expected, ended, running)
    begun = [min(s / slower, 0.99 * expected[n]) for n, s in running.items()]
    return sum(expected[name] for name in ended) + sum(begun)


def roughly(seconds):
    """An estimate in words.

    >>> roughly(20), roughly(200), roughly(7200)
    ('less than a minute', 'about 4 min', 'about 2 h 0 min')
    """
    if seconds < 60:
        return "less than a minute"
    minutes = math.ceil(seconds / 60)
    return f"about {duration(60 * minutes).removesuffix(' 0 s')}"


def duration(seconds):
    """Seconds in words.

    >>> duration(42.3), duration(200), duration(3900)
    ('42 s', '3 min 20 s', '1 h 5 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
