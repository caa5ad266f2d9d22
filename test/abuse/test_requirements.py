"""Figure C1: conformance/requirements.txt says what the RFCs ask and which test holds it.  Here: every
row is well formed, every test it names exists, all MUST are held, at least 95 % of the SHOULD."""
import functools
import pathlib
import re

TESTS = pathlib.Path(__file__).resolve().parents[1]
FILE = pathlib.Path(__file__).with_name("conformance") / "requirements.txt"
RFCS = {"5321", "6409", "4954", "3207", "8314", "1870", "2920", "3030", "6152", "6531", "3461", "2034",
        "9422", "7505", "3464", "6376", "8301", "8463"}


def rows():
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, [cell.strip() for cell in line.split(" | ")]


@functools.lru_cache
def names_in(file):
    """The names of the tests in a file of test/."""
    text = (TESTS / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        return set(re.findall(r"^def (test_\w+)\(", text, re.M))
    # In C a case counts when it is both written and run.
    written = re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M)
    return {name for name in written if len(re.findall(rf"\b{name}\b", text)) > 1}


def exists(test):
    file, _, name = test.partition("::")
    if not (TESTS / file).is_file():
        return False
    return file.startswith("dialogues/") if not name else name in names_in(file)


def problem_of(cells):
    if len(cells) != 5:
        return "five cells are wanted"
    where, level, who, gist, test = cells
    if not (re.fullmatch(r"\d{4} [\d.]+", where) and gist and who in "SCBDK"):
        return "malformed"
    if test.startswith("no:"):
        return None if level == "SHOULD" else "only a SHOULD may be left out"
    if test.startswith("skip:"):
        return None
    return None if level in ("MUST", "SHOULD", "MAY") and exists(test) else f"{test} does not exist"


def test_each_row_names_a_test():
    problems = [(number, problem_of(cells)) for number, cells in rows() if problem_of(cells)]
    assert not problems


def test_the_figure():
    counts = {}
    for _, (_, level, _, _, test) in rows():
        kind = test.split(":")[0] if test.startswith(("no:", "skip:")) else "held"
        counts[level, kind] = counts.get((level, kind), 0) + 1
    print("C1:", counts)
    held, missed = counts["SHOULD", "held"], counts.get(("SHOULD", "no"), 0)
    assert held >= 0.95 * (held + missed), counts
    assert counts["MUST", "held"] >= 120 and ("MUST", "no") not in counts
    assert {cells[0].split()[0] for _, cells in rows()} >= RFCS
