"""The fixtures of test/e2e: the same services, receivers and name servers."""
import importlib.util
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "e2e" / "conftest.py"


def load():
    if "e2e_fixtures" not in sys.modules:
        spec = importlib.util.spec_from_file_location("e2e_fixtures", SOURCE)
        sys.modules["e2e_fixtures"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["e2e_fixtures"])
    return sys.modules["e2e_fixtures"]


fixtures = load()
authority, certificate, folder = fixtures.authority, fixtures.certificate, fixtures.folder
world, module_world = fixtures.world, fixtures.module_world
pytest_collection_modifyitems = fixtures.pytest_collection_modifyitems
pytest_runtest_makereport = fixtures.pytest_runtest_makereport


def pytest_addoption(parser):
    try:
        fixtures.pytest_addoption(parser)
    except ValueError:
        pass  # test/e2e runs along and has added it
