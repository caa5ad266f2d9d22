"""under_unit.py UNIT PROGRAM WORD...: runs a program under the restrictions of a systemd unit, as
far as they can be had without systemd: capabilities, no_new_privs, the system call filter with the
unit's own groups, address families, namespaces, no core files, umask.

Left out: what needs mounts (ProtectSystem, PrivateTmp, ...), cgroups and LoadCredential.  Called as
the unit's user, with its capabilities in the ambient set (setpriv).
The file limit stays: not every root may raise it."""
import ctypes
import errno
import os
import resource
import socket
import subprocess
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL, MASKED = 4, 7
CLONE_NEW = 0x7E020000 | 0x00000080  # every namespace


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


def settings_of(path):
    """[(name, value)] of a unit, in order."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and line[0] not in "#;["]


def group(name):
    """The calls of a group of systemd's, groups within it included."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                          text=True, check=True).stdout
    words = [line.strip() for line in text.splitlines()[1:]]
    calls = set()
    for word in words:
        if word.startswith("@"):
            calls |= group(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed_calls(settings):
    """As systemd.exec(5): an allow list that later lines add to or, with ~, take from."""
    calls = group("@default")
    for name, value in settings:
        if name != "SystemCallFilter":
            continue
        is_taken = value.startswith("~")
        for word in value.lstrip("~").split():
            named = group(word) if word.startswith("@") else {word}
            calls = calls - named if is_taken else calls | named
    return calls


def install(calls, families):
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(ERRNO | errno.EPERM))

    def rule(action, call, *comparisons):
        number = lib.seccomp_syscall_resolve_name(call.encode())
        if number != -1:  # else: of another architecture
            array = (Comparison * len(comparisons))(*comparisons)
            assert lib.seccomp_rule_add_array(context, ctypes.c_uint32(action), number,
                                              len(comparisons), array) in (0, -errno.EOPNOTSUPP)

    for call in sorted(calls - {"socket", "clone", "clone3"}):
        rule(ALLOW, call)
    for family in families:
        rule(ALLOW, "socket", Comparison(0, EQUAL, family, 0))
    rule(ALLOW, "clone", Comparison(0, MASKED, CLONE_NEW, 0))
    rule(ERRNO | errno.ENOSYS, "clone3")
    assert lib.seccomp_load(context) == 0, "cannot load the filter"


def main():
    unit, *command = sys.argv[1:]
    settings = settings_of(unit)
    once = dict(settings)
    calls = allowed_calls(settings)
    os.umask(int(once["UMask"], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    families = [getattr(socket, name) for name in once["RestrictAddressFamilies"].split()]
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    install(calls | {"execve"}, families)
    os.execv(command[0], command)


main()
