"""The memory of a process, read from /proc/PID/mem: all of it, or what a core file would hold, by the
rules of core(5), which gcore keeps too."""
import re

REGION = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+) *(.*)$")
ANONYMOUS_PRIVATE = 1


def is_dumped(pid):
    """Whether a core file would hold the heap and the stacks: the first bit of the filter."""
    with open(f"/proc/{pid}/coredump_filter", encoding="ascii") as file:
        return bool(int(file.read(), 16) & ANONYMOUS_PRIVATE)


def regions(pid):
    """[(begin, end, name)] of what can be read, but for pages with MADV_DONTDUMP."""
    found, current = [], None
    with open(f"/proc/{pid}/smaps", "rb") as file:
        for line in file:
            match = REGION.match(line.rstrip())
            if match:
                current = (int(match[1], 16), int(match[2], 16), match[5].decode(), match[3])
            elif line.startswith(b"VmFlags:"):
                begin, end, name, rights = current
                is_left_out = b" dd" in line or name in ("[vvar]", "[vsyscall]", "[vdso]")
                if rights[:1] == b"r" and not is_left_out:
                    found.append((begin, end, name))
    return found


def hidden(pid):
    """[(begin, end, flags)] of the pages that no core file holds."""
    found, current = [], None
    with open(f"/proc/{pid}/smaps", "rb") as file:
        for line in file:
            match = REGION.match(line.rstrip())
            if match:
                current = (int(match[1], 16), int(match[2], 16))
            elif line.startswith(b"VmFlags:") and b" dd" in line and current:
                found.append((*current, line.decode().split()[1:]))
    return found


def read(pid, begin, end):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(begin)
        return memory.read(end - begin)


def search(pid, needles):
    """[(name of the needle, region, offset)]; needles: {name: bytes}."""
    hits = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, name in regions(pid):
            memory.seek(begin)
            try:
                octets = memory.read(end - begin)
            except OSError:
                continue
            hits += [(needle, name or "anonymous", octets.find(wanted))
                     for needle, wanted in needles.items() if wanted in octets]
    return hits
