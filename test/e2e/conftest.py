"""Fixtures: every test gets services, receivers and name servers of its own, in folders that are
kept when it fails.  See README.md."""
import pathlib
import shutil
import tempfile

import pytest

import certificates
from appliance import LISTENERS, Appliance
from name_server import NameServer
from receivers import Receiver, Sink

pytest_plugins = ()


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        chosen = [i for i in items if "long" not in i.keywords]
        config.hook.pytest_deselected(items=[i for i in items if "long" in i.keywords])
        items[:] = chosen


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.has_failed = True


def new_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-"))
    folder.chmod(0o755)  # the service's own users walk through it
    return folder


@pytest.fixture(scope="session")
def authority():
    folder = new_folder()
    yield certificates.Authority(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def certificate(authority):
    """For everything that listens on this machine."""
    return authority.issue("relay.example", "localhost", "127.0.0.1", "::1")


@pytest.fixture
def folder(request):
    path = new_folder()
    yield path
    if getattr(request.node, "has_failed", False):
        print(f"kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


class World:
    """Makes what a test needs and ends it afterwards, in the opposite order."""

    def __init__(self, folder, authority, certificate):
        self.folder, self.authority, self.certificate = folder, authority, certificate
        self.ends = []
        self.count = 0

    def new_path(self, name):
        self.count += 1
        return self.folder / f"{name}{self.count}"

    def appliance(self, config="", listeners=LISTENERS, start=True, **options):
        options.setdefault("certificate", self.certificate)
        service = Appliance(self.new_path("service"), config, listeners=listeners,
                            authority=self.authority, **options)
        self.ends.append(service.stop)
        return service.start() if start else service

    def sink(self, script=None, tls=False, **options):
        sink = Sink(self.new_path("sink"), script=script,
                    certificate=self.certificate if tls else None, **options)
        self.ends.append(sink.stop)
        return sink

    def receiver(self, behaviour=None, tls=False, **options):
        receiver = Receiver(behaviour, certificate=self.certificate if tls else None, **options)
        self.ends.append(receiver.stop)
        return receiver

    def name_server(self, zones, **options):
        server = NameServer(self.new_path("dns"), zones, **options)
        self.ends.append(server.stop)
        return server

    def own(self, thing):
        """Ends thing too; returns it."""
        self.ends.append(thing.stop)
        return thing

    def relay_to(self, receiver, config="", **options):
        """A service whose next hop for everything is receiver."""
        return self.appliance(
            f'route "*" {{ via = "{receiver.address}" }}\n{config}', **options)

    def end(self):
        problems = []
        for stop in reversed(self.ends):
            try:
                stop()
            except AssertionError as problem:
                problems.append(str(problem))
        self.ends = []
        assert not problems, "\n".join(problems)


@pytest.fixture
def world(folder, authority, certificate):
    result = World(folder, authority, certificate)
    yield result
    result.end()


@pytest.fixture(scope="module")
def module_world(authority, certificate):
    """As world, for services that many tests of a file share."""
    path = new_folder()
    result = World(path, authority, certificate)
    yield result
    result.end()
    shutil.rmtree(path, ignore_errors=True)
