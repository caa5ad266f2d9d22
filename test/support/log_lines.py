"""The service's log as data: one `Event` a line, kept in order, to be waited for."""
import re
import threading
import time

FIELD = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=("(?:[^"\\]|\\.)*"|\S*)')
ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|.)')


def unescape(value):
    if value[:1] != '"':
        return ESCAPE.sub(replace_escape, value)
    return ESCAPE.sub(replace_escape, value[1:-1])


def replace_escape(match):
    code = match[1]
    if len(code) == 3:
        return chr(int(code[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


class Event(dict):
    """The fields of one line; `event.name` is what happened."""

    @property
    def name(self):
        return self.get("event", "")

    def matches(self, name, fields):
        return self.name == name and all(self.get(k) == str(v) for k, v in fields.items())


def parse(line):
    return Event((key, unescape(value)) for key, value in FIELD.findall(line))


class LogReader(threading.Thread):
    """Reads a pipe to its end and answers "has this been said?" without polling."""

    def __init__(self, pipe, copy_to=None, ignored=()):
        """ignored: names of events that are copied only; under load they would fill the memory."""
        super().__init__(daemon=True)
        self.pipe, self.copy_to = pipe, copy_to
        self.ignored = tuple(f" event={name} ".encode() for name in ignored)
        self.events, self.other_lines = [], []
        self.is_at_end = False
        self.changed = threading.Condition()
        self.start()

    def run(self):
        for raw in self.pipe:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if self.copy_to:
                self.copy_to.write(line + "\n")
                self.copy_to.flush()
            if any(name in raw for name in self.ignored):
                continue
            with self.changed:
                if " event=" in line or line.startswith("event="):
                    self.events.append(parse(line))
                else:
                    self.other_lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.is_at_end = True
            self.changed.notify_all()

    def mark(self):
        """A place in the log; pass it as `after` to see only what comes later."""
        with self.changed:
            return len(self.events)

    def all(self, name, /, after=0, **fields):
        with self.changed:
            return [e for e in self.events[after:] if e.matches(name, fields)]

    def wait(self, name, /, count=1, timeout=30, after=0, **fields):
        """The count-th such event; fails when the log ends or time runs out before it."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = [e for e in self.events[after:] if e.matches(name, fields)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0 or self.is_at_end:
                    why = "log ended" if self.is_at_end else f"not within {timeout} s"
                    raise AssertionError(
                        f"event={name} {fields} came {len(found)} of {count} times: {why}\n"
                        + self.tail())
                self.changed.wait(left)

    def wait_until(self, condition, timeout=30):
        """condition(events) is asked after every new line until it is true."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not condition(self.events):
                left = deadline - time.monotonic()
                if left <= 0 or self.is_at_end:
                    raise AssertionError("the log never fulfilled the condition\n" + self.tail())
                self.changed.wait(left)

    def tail(self, n=40):
        lines = [" ".join(f"{k}={v}" for k, v in e.items()) for e in self.events[-n:]]
        return "\n".join(lines + self.other_lines[-n:])
