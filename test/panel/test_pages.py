"""Every page in every look, against made-up data; what the build makes; the units in TypeScript."""
import gzip
import hashlib
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
KB = 1024


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


def build(folder):
    subprocess.run([TOP / "scripts/build_panel", folder], check=True, capture_output=True, timeout=300)
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", sorted(p.name for p in (HERE / "unit").glob("*.test.mjs")))
def test_units(name, dist):
    done = subprocess.run(["node", "--test", HERE / "unit" / name], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, re.M), done.stdout


def test_two_builds_are_the_same(dist, tmp_path):
    one, other = (hashlib.sha256(repr(sorted(files(f).items())).encode()).hexdigest()
                  for f in (dist, build(tmp_path / "again")))
    assert one == other


def packed(octets):
    return len(gzip.compress(octets, 9, mtime=0))


def imported(all_files, name, seen=None):
    """A file and what it imports by name at once, not what it asks for later."""
    seen = seen if seen is not None else set()
    if name in seen:
        return seen
    seen.add(name)
    text = all_files[name].decode()
    for other in re.findall(r'(?:from|import)"\./([^"]+)"', text):
        imported(all_files, "assets/" + other, seen)
    return seen


def test_budgets(dist):
    """100 KB for everything, 45 KB for a first page without its lines; no lines on the way in."""
    every = files(dist)
    total = sum(packed(octets) for name, octets in every.items() if not name.endswith(".txt"))
    entry = re.search(r'src="/(assets/panel-[^"]+)"', every["index.html"].decode()).group(1)
    style = re.search(r'href="/(assets/panel-[^"]+\.css)"', every["index.html"].decode()).group(1)
    shell = imported(every, entry)
    sizes = {}
    for page in ("entrance", "mine", "overview"):
        name = next((n for n in every if re.match(rf"assets/{page}-", n)), None)
        first = shell | imported(every, name) if name else shell
        sizes[page] = sum(packed(every[n]) for n in first) + packed(every[style])
        assert not any(b"uPlot" in every[n] for n in first if n.endswith(".js")), page
    print(f"{total} octets in all, first pages {sizes}")
    assert all(size <= 45 * KB for size in sizes.values()), sizes
    assert total <= 100 * KB


def test_lock_files_name_no_host_and_allowed_licences():
    for lock in (HERE / "package-lock.json", TOP / "webui/panel/package-lock.json"):
        text = lock.read_text()
        assert "http" not in re.sub(r'"url": "[^"]*"', "", text), lock
        licences = set(re.findall(r'"license": "([^"]+)"', text))
        assert licences <= {"MIT", "ISC", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "UNLICENSED"}, licences


def audit(driver, dist, everything):
    found = driver.do("audit", everything=everything, dist=str(dist))
    assert found["audited"] >= (700 if everything else 60)
    assert found["findings"] == [], "\n".join(found["findings"])


@pytest.mark.timeout(600)
def test_pages_have_no_faults(driver, dist):
    audit(driver, dist, False)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_pages_have_no_faults_in_any_look(driver, dist):
    audit(driver, dist, True)


def test_the_audit_finds_what_it_is_for(driver):
    found = driver.do("findings", url="data:text/html,<html><main><input>"
                      "<p style='color:%23ccc'>pale</p><div style='width:900px'>wide</div></main></html>")
    assert {text.split(":")[0] for text in found} >= {
        "label", "color-contrast", "html-has-lang", "the page scrolls sideways (908 > 320)"}
