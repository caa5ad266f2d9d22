"""The tables that say which test holds what: relay/README.md (bounds) and README.md here (attacks).
Each test that they name exists; each row names one, or the issue that brings what it is about."""
import pathlib
import re

from test_requirements import TESTS, exists

HERE = pathlib.Path(__file__).parent


def rows_of(path, heading):
    """The cells of the table's rows below a heading."""
    text = path.read_text(encoding="utf-8").partition(heading)[2]
    table = re.split(r"^## ", text, maxsplit=1, flags=re.M)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines if not re.match(r"\| *(-|what|attack)", line)]


def named_in(cell):
    return re.findall(r"`((?:unit|e2e|abuse|dialogues|fuzz)/[^`]+)`", cell)


def unheld(rows, may_wait=False):
    bad = []
    for row in rows:
        tests = named_in(row[-1])
        if not tests and not (may_wait and re.search(r"issue \d", row[-1])):
            bad.append((row[0], "names no test"))
        bad += [(row[0], test) for test in tests if not exists(test)]
    return bad


def test_every_bound_is_held_by_a_test():
    rows = rows_of(TESTS.parent / "relay" / "README.md", "## Bounds")
    assert len(rows) >= 40 and not unheld(rows)


def test_every_attack_of_the_catalogue_has_a_test():
    rows = [row for heading in ("## SMTP input", "## Delivery", "## Control socket and health port")
            for row in rows_of(HERE / "README.md", heading)]
    assert len(rows) >= 45 and not unheld(rows, may_wait=True)
