"""The fixtures of test/e2e, and a browser."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent / "e2e" / "conftest.py"


def load():
    if "e2e_fixtures" not in sys.modules:
        spec = importlib.util.spec_from_file_location("e2e_fixtures", SOURCE)
        sys.modules["e2e_fixtures"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["e2e_fixtures"])
    return sys.modules["e2e_fixtures"]


fixtures = load()
authority, certificate, folder = fixtures.authority, fixtures.certificate, fixtures.folder
world, module_world = fixtures.world, fixtures.module_world
pytest_addoption = fixtures.pytest_addoption
pytest_collection_modifyitems = fixtures.pytest_collection_modifyitems
pytest_runtest_makereport = fixtures.pytest_runtest_makereport


class Driver:
    """driver.mjs: one Chromium for all tests of a process, a fresh context for each order."""

    def __init__(self):
        self.process = subprocess.Popen(["node", str(HERE / "driver.mjs")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd=HERE,
                                        env=dict(os.environ))

    def do(self, verb, **order):
        self.process.stdin.write(json.dumps({"do": verb, **order}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the driver ended"
        answer = json.loads(line)
        assert answer["ok"], answer["why"]
        return answer["result"]

    def journey(self, name, url, language="en", keep=None, on=None, **given):
        """keep: a name for the page, which stays; on: where such a page was left."""
        return self.do("journey", name=name, url=url, language=language, input=given, keep=keep, on=on)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture(scope="session")
def driver():
    result = Driver()
    yield result
    result.stop()
