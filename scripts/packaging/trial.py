#!/usr/bin/python3
"""What scripts/check_unit does inside the booted system; it ends the system when it is done.
Output: /trial.out, whose last line is "all held" when everything did."""
import json
import os
import pathlib
import smtplib
import ssl
import subprocess
import sys
import time

UNIT = "staffetta.service"
SINK = pathlib.Path("/var/tmp/sink")


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **more).stdout.strip()


def until(what, seconds=30):
    """Until it is true; what it said last."""
    end = time.monotonic() + seconds
    while True:
        said = what()
        if said or time.monotonic() > end:
            assert said, "waited in vain"
            return said
        time.sleep(0.1)


def property_of(name):
    return run("systemctl", "show", UNIT, f"--property={name}", "--value")


def health():
    done = subprocess.run(["staffetta", "--json", "health"], stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def send(password, subject):
    context = ssl.create_default_context(cafile="/etc/staffetta/certificate.pem")
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", 587, timeout=20) as client:
        client.starttls(context=context)
        client.login("news@shop.example", password)
        client.sendmail("news@shop.example", ["you@example.net"],
                        f"From: news@shop.example\nTo: you@example.net\nSubject: {subject}\n\nHello\n")
    until(lambda: any(f"Subject: {subject}" in path.read_text() for path in (SINK / "new").iterdir()
                      if path.suffix != ".json"))


def processes():
    """Name and pid of what runs in the unit."""
    group = pathlib.Path("/sys/fs/cgroup/systemd" if os.path.isdir("/sys/fs/cgroup/systemd")
                         else "/sys/fs/cgroup")
    for path in group.rglob(f"{UNIT}/cgroup.procs"):
        for pid in path.read_text().split():
            yield pathlib.Path(f"/proc/{pid}/comm").read_text().strip(), int(pid)


def starts_confined(_password):
    run("systemctl", "is-active", UNIT)
    said = run("journalctl", "-u", UNIT, "--no-pager", "-o", "cat")
    assert "event=ready" in said
    print("  notes:", health().get("notes"))
    for line in said.splitlines():
        if "confined" in line:
            print("  ", line)
    for name, pid in processes():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        print(f"   {name}: uid {fields['Uid'].split()[0]} capabilities {fields['CapEff'].strip()}"
              f" seccomp {fields['Seccomp'].strip()} filters {fields['Seccomp_filters'].strip()}")
        assert fields["Uid"].split()[0] != "0"


def scores(_password):
    said = run("systemd-analyze", "security", UNIT, "--no-pager")
    print("  ", said.splitlines()[-1])
    assert "1.5" in said.splitlines()[-1]


def takes_and_delivers(password):
    send(password, "first")


def is_reloaded(password):
    run("systemctl", "reload", UNIT)
    until(lambda: "event=reloaded" in run("journalctl", "-u", UNIT, "--no-pager", "-o", "cat"))
    send(password, "after the reload")


def loses_its_relay(password):
    main = int(property_of("MainPID"))
    relay = [pid for name, pid in processes() if pid != main and "sign" not in name][0]
    os.kill(relay, 9)
    until(lambda: relay not in [pid for _, pid in processes()] and health())
    assert int(property_of("MainPID")) == main
    send(password, "after the relay")


def is_killed(password):
    main = int(property_of("MainPID"))
    os.kill(main, 9)
    until(lambda: int(property_of("MainPID")) not in (0, main) and health())
    send(password, "after the parent")


def hangs(password):
    main = int(property_of("MainPID"))
    os.kill(main, 19)
    until(lambda: int(property_of("MainPID")) not in (0, main) and health(), 60)
    assert "Watchdog timeout" in run("journalctl", "-u", UNIT, "--no-pager")
    send(password, "after the watchdog")


def stops(_password):
    run("systemctl", "stop", UNIT)
    assert property_of("Result") == "success", property_of("Result")
    assert not list(processes())


def main():
    sink = subprocess.Popen(["staffetta", "sink", "--listen", "127.0.0.1:2525", "--dir", SINK],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(health)
    password = run("staffetta", "user", "add", "news@shop.example", "--generate")
    for step in (starts_confined, scores, takes_and_delivers, is_reloaded, loses_its_relay, is_killed,
                 hangs, stops):
        print(step.__name__.replace("_", " "), flush=True)
        step(password)
    sink.terminate()
    print("all held")


sys.stdout = sys.stderr = open("/trial.out", "w", buffering=1)
try:
    main()
finally:
    subprocess.run(["sh", "-c", f"journalctl -u {UNIT} --no-pager >/trial.journal"])
    subprocess.run(["systemctl", "poweroff", "--no-block"])
