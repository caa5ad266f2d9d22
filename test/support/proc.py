"""What the kernel tells of a process.  A process that hides its memory hides its owner too: the
files below /proc/PID are then root's, so the facts are read, not the owner of the folder."""


def status_of(pid):
    """/proc/PID/status as a dictionary of texts."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        rows = (line.split(":", 1) for line in file)
        return {name: value.strip() for name, value in rows}


def user_of(pid):
    """The real user id, which must be the effective and the saved one too."""
    ids = status_of(pid)["Uid"].split()
    assert len(set(ids)) == 1, ids
    return int(ids[0])
