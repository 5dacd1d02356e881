"""What `just vm-test` claims, checked inside of a guest: see `run`. The first process there, with Debian's python3 and root's rights.

Prints a line per claim to the second serial line, and `vm-test: ok` at the end if all of them hold.
"""

import ctypes
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import traceback

# The program, and the tests' binary.
PROGRAM = "/vm-test/coding-env"
TESTS = "/vm-test/it"
# The guest's name.
HOST = "vm-test"
# The user without privilege.
USER = 1000
# Where control groups v2 are.
GROUPS = "/sys/fs/cgroup"
# Where a server with v2 moves to itself (SERVER_GROUP of src/sandbox/cgroup.rs); it stays.
SERVER_GROUP = "coding-env-server"
# Seconds until something that is waited for has failed; several times that where the processor is emulated.
PATIENCE = 60
PATIENCE_EMULATED = 300
# Seconds for one run of the tests.
TESTS_WITHIN = 2400
# Tests of what has to happen within a second or a few, which an emulated processor can't do.
TOO_SLOW = ["limits_of_an_episode_are_taken_up_to_the_servers_and_down_to_the_least"]
# Layers that are in force at level namespace on any of these kernels, whoever the server runs as.
ALWAYS = (
    "namespaces filesystem landlock signals seccomp no_new_privs capabilities network loopback rlimit process".split()
)
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
# reboot(2): restart, by which qemu ends (`-no-reboot`).
RESTART = 0x01234567


def mount(kind, at, options="nosuid,nodev,noexec"):
    os.makedirs(at, exist_ok=True)
    subprocess.run(["mount", "-t", kind, "-o", options, kind, at], check=True)


def begin():
    """What an ordinary machine has."""
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    mount("proc", "/proc")
    mount("sysfs", "/sys")
    mount("securityfs", "/sys/kernel/security")
    socket.sethostname(HOST)
    # As systemd mounts them.
    mount("cgroup2", GROUPS, "nosuid,nodev,noexec,nsdelegate")
    mount("tmpfs", "/dev/shm", "nosuid,nodev,mode=1777")
    mount("devpts", "/dev/pts", "nosuid,noexec,gid=5,mode=620")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        if not os.path.lexists(f"/dev/{name}"):
            os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    os.chmod("/tmp", 0o1777)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/etc/passwd", "a", encoding="utf-8") as passwd:
        passwd.write(f"tester:x:{USER}:{USER}::/tmp:/bin/sh\n")
    arguments = dict(word.split("=", 1) for word in open("/proc/cmdline").read().split() if "=" in word)
    filters = arguments["vmtest.tests"].split(",") if arguments["vmtest.tests"] else []
    if arguments["vmtest.emulated"] == "1":
        global PATIENCE
        PATIENCE = PATIENCE_EMULATED
        if filters:
            filters += [word for name in TOO_SLOW for word in ("--skip", name)]
    return arguments["vmtest.kernel"], arguments["vmtest.tree"], filters


failures = []


def claim(holds, what, told=""):
    print("ok  " if holds else "FAIL", what, flush=True)
    if not holds:
        failures.append(what)
        for line in str(told).splitlines():
            print("       ", line, flush=True)


def section(name):
    print(f"-- {name}", flush=True)


def join(group):
    """Goes into a control group, before a program is executed."""
    if group is None:
        return
    try:
        write(group, "cgroup.procs", "0")
    except OSError as error:
        # A server has been there, and has given its group away: who starts the next one goes where it went, as container engines do.
        if error.errno != errno.EBUSY:
            raise
        write(group, SERVER_GROUP, "cgroup.procs", "0")


def write(*path_and_value):
    *path, value = path_and_value
    with open("/".join(path), "w", encoding="ascii") as file:
        file.write(value)


def made(name, owner=0, limits=()):
    """A control group below the root, with memory, pids and cpu, of a user or root."""
    path = GROUPS
    for part in [None, *name.split("/")]:
        path = path if part is None else f"{path}/{part}"
        os.makedirs(path, exist_ok=True)
        if path != f"{GROUPS}/{name}":
            write(path, "cgroup.subtree_control", "+memory +pids +cpu")
    for file, value in limits:
        write(path, file, value)
    delegate(path, owner)
    return path


def delegate(path, owner):
    """Gives a control group to a user: cgroups(7)."""
    for file in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        os.chown(f"{path}/{file}", owner, owner)


def below(group):
    """The control groups below one, as paths from it."""
    return sorted(os.path.relpath(path, group) for path, _, _ in os.walk(group) if path != group)


def ours():
    """Control groups of servers' runs, wherever they are."""
    return [name for name in below(GROUPS) if re.search(r"(^|/)coding-env-(?!server$)[^/]*$", name)]


def by(user):
    """How a program is executed as a user. Not by subprocess, which changes the user before `join`."""
    return [] if user == 0 else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def doctor(*flags, user=0, group=None, wrap=()):
    """What `coding-env doctor --json` tells."""
    done = subprocess.run(
        [*wrap, *by(user), PROGRAM, "doctor", "--json", *flags],
        capture_output=True, text=True, timeout=PATIENCE, preexec_fn=lambda: join(group), cwd="/tmp",
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {"starts": None, "level": None, "layers": {}, "refusal": f"{done.returncode}: {done.stdout}{done.stderr}"}
    found["layers"] = {layer["name"]: layer for layer in found["layers"]}
    if found["starts"] != (done.returncode == 0):
        found["refusal"] = f"exit code {done.returncode} of a server that starts: {found['starts']}"
        found["starts"] = None
    return found


def enforced(found):
    return {name for name, layer in found["layers"].items() if layer["enforced"]}


def detail(found, name):
    return found["layers"].get(name, {}).get("detail", "")


def shown(found):
    return json.dumps({name: found[name] for name in ("level", "refusal", "layers")}, indent=1)


def has(found, level, layers, lacks=()):
    """Whether a server starts with this level, these layers in force and those missing."""
    return (
        found["starts"] is True
        and found["level"] == level
        and set(layers) <= enforced(found)
        and not set(lacks) & enforced(found)
    )


def levels(kernel, tree):
    """The decision, for each who and each level."""
    with open(f"{tree}/tests/it/support/before_scopes.py", encoding="ascii") as file:
        before_scopes = [sys.executable, "-I", "-c", file.read()]
    section("doctor")
    old = kernel == "old"
    found = doctor()
    claim(has(found, "namespace", [*ALWAYS, "uid", "cgroup"]), "root has level namespace with every layer", shown(found))
    abi = re.match(r"ABI (\d+)", detail(found, "landlock"))
    abi = int(abi.group(1)) if abi else 0
    claim((abi == 2) if old else (abi >= 6), f"Landlock's ABI is {'2' if old else '6 or more'}: {abi}", shown(found))
    signals = detail(found, "signals")
    claim(("Landlock" in signals) != old and "its processes are all that it sees" in signals,
          f"signals are bounded by {'the pid namespace, not by Landlock' if old else 'Landlock too'}", signals)
    claim("version 2" in detail(found, "cgroup") and "its share of the CPUs" in detail(found, "cgroup"),
          "control groups are v2, with CPU", detail(found, "cgroup"))

    found = doctor("--isolation", "namespace")
    claim(has(found, "namespace", ALWAYS), "root may demand level namespace", shown(found))
    found = doctor("--isolation", "landlock")
    claim(has(found, "landlock", ["landlock", "signals", "uid", "cgroup", "seccomp"], ["namespaces", "loopback"]),
          "root has level landlock, with uids", shown(found))
    signals = detail(found, "signals")
    claim("its uid" in signals and ("Landlock" in signals) != old,
          f"there, signals are bounded by {'uids alone' if old else 'Landlock and uids'}", signals)
    found = doctor("--isolation", "none")
    claim(has(found, "none", ["rlimit", "process"], set(found["layers"]) - {"rlimit", "process"}),
          "at level none, nothing more than that is claimed", shown(found))

    found = doctor(user=USER)
    claim(has(found, "namespace", ALWAYS, ["uid", "cgroup"]),
          "a user has level namespace, without uids and control groups", shown(found))
    claim("not bounded" in detail(found, "cgroup"), "what it lacks is told", detail(found, "cgroup"))
    found = doctor("--require", "cgroup", user=USER)
    claim(found["starts"] is False and "layer cgroup is missing" in found["refusal"],
          "a user who requires control groups is refused", shown(found))
    landlock(old, doctor("--isolation", "landlock", user=USER), "a user who demands level landlock")
    if not old:
        # Linux 6.2 to 6.11, which Debian has in no release.
        found = doctor("--isolation", "landlock", user=USER, wrap=before_scopes)
        claim(has(found, "landlock", ["landlock", "signals", "seccomp"], ["namespaces", "uid"])
              and "a broker in the warden" in detail(found, "signals") and "ABI 5" in detail(found, "landlock"),
              "without scopes signals go through the broker", shown(found))
    found = doctor("--isolation", "none", user=USER)
    claim(has(found, "none", ["rlimit", "process"]), "a user may demand level none", shown(found))

    # As where containers or an administrator forbid them.
    limit = "/proc/sys/user/max_user_namespaces"
    was = read(limit)
    write(limit, "0")
    found = doctor(user=USER)
    landlock(old, found, "a user who may not make user namespaces")
    if old:
        claim("--isolation none" in (found["refusal"] or ""), "what would start is told", shown(found))
    found = doctor()
    claim(has(found, "namespace", [*ALWAYS, "uid", "cgroup"]), "root needs no user namespaces", shown(found))
    write(limit, was)


def landlock(old, found, who):
    """Level landlock without privilege: with ABI 2 refused for what nothing closes, else as strong as Landlock."""
    if not old:
        claim(has(found, "landlock", ["landlock", "signals", "seccomp"], ["namespaces", "uid"]), f"{who} has it", shown(found))
        return
    refusal = found["refusal"] or ""
    claim(found["starts"] is False and "ABI 2" in refusal and "truncating" in refusal and "uids of their own" in refusal,
          f"{who} is refused: nothing keeps files from being truncated", shown(found))
    # It accepts open signals, and that is not what is missing.
    claim("--accept-open-signals" not in refusal, "no flag is named that would not help", refusal)
    found = doctor("--isolation", "landlock", "--accept-open-signals", user=USER)
    claim(found["starts"] is False, "nor would that flag help", shown(found))


class Server:
    """A `coding-env serve`, and where it stands."""

    def __init__(self, *flags, user=0, group=None, wrap=()):
        self.state = f"/tmp/state-{time.monotonic_ns()}"
        os.mkdir(self.state)
        os.chown(self.state, user, user)
        self.log = open(f"{self.state}.log", "w+", encoding="utf-8")
        self.child = subprocess.Popen(
            [*wrap, *by(user), PROGRAM, "serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--state-dir", self.state, *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log, cwd="/tmp",
            preexec_fn=lambda: join(group),
        )
        until = time.monotonic() + PATIENCE
        while '"message":"serving"' not in self.text() and self.child.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def text(self):
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()

    def end(self, how=signal.SIGTERM):
        self.child.send_signal(how)
        try:
            return self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return None


def read(*path):
    with open("/".join(path), encoding="ascii") as file:
        return file.read().strip()


def limits_of(run):
    """What bounds the cells of a server's run, and who is in them."""
    files = "memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cgroup.procs"
    found = []
    for cell in below(f"{GROUPS}/{run}"):
        try:
            found.append({file: read(GROUPS, run, cell, file) for file in files if os.path.exists(f"{GROUPS}/{run}/{cell}/{file}")})
        except OSError:
            pass  # It has ended meanwhile.
    return found


def is_bounded(cells):
    """For each cell, whether it has limits, and a reaper and a worker."""
    return [
        cell.get("memory.max", "max") != "max" and cell.get("pids.max", "max") != "max"
        and cell.get("memory.oom.group") == "1" and len(cell.get("cgroup.procs", "").split()) >= 2
        for cell in cells
    ] or [False]


# All of its processes together take more than they may; each of them is small.
HUNGRY = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = b"x" * (64 << 20)
        time.sleep(1000)
time.sleep(1000)
"""
# It tells how many it could start, and the error that stopped it.
MANY = """
import os, signal
started = 0
try:
    while started < 100:
        if os.fork() == 0:
            signal.pause()
        started += 1
except OSError as error:
    print(started, error.errno)
"""


def run_code(code, limits, *, user=0, group=None):
    """Runs code on a server of its own: exit code, what it printed, what was logged."""
    variables = {"CODING_ENV_REQUIRE": "cgroup", "CODING_ENV_STEP_TIMEOUT": f"{PATIENCE}s", **limits}
    done = subprocess.run(
        [*by(user), PROGRAM, "run", "-c", code], env={**ENVIRONMENT, **variables}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=3 * PATIENCE, preexec_fn=lambda: join(group), cwd="/tmp",
    )
    return done.returncode, done.stdout.strip(), done.stderr


def bounded(name, group, *, user=0):
    """The kernel holds what is claimed: memory and processes of an episode as a whole."""
    code, _, told = run_code(HUNGRY, {"CODING_ENV_MAX_TOTAL_MEMORY_BYTES": str(128 << 20)}, user=user, group=group)
    claim(code == 137, f"{name}: an episode whose processes take too much memory together is ended", f"{code}: {told}")
    code, printed, told = run_code(MANY, {"CODING_ENV_MAX_PROCESSES": "16"}, user=user, group=group)
    claim((code, printed) == (0, f"15 {errno.EAGAIN}"), f"{name}: an episode has no more processes than it may",
          f"{code}: {printed} {told}")


def standing(name, group, base, *, user=0, wrap=(), how=signal.SIGTERM):
    """A server in `group` makes its groups below `base`, with limits, and leaves none."""
    before = below(GROUPS)
    server = Server(user=user, group=group, wrap=wrap)
    runs = ours()
    cells = below(f"{GROUPS}/{runs[0]}") if len(runs) == 1 else []
    claim(len(runs) == 1 and os.path.dirname(runs[0]) == base and len(cells) > 0,
          f"{name}: the groups of cells are below /{base}", f"{runs} {cells}\n{server.text()}")
    if cells:
        # Groups are made before what goes into them.
        until = time.monotonic() + PATIENCE
        while not all(is_bounded(found := limits_of(runs[0]))) and time.monotonic() < until:
            time.sleep(0.02)
        claim(all(is_bounded(found)), f"{name}: every cell's group has limits, its reaper and its worker", found)
    code = server.end(how)
    wanted = 0 if how == signal.SIGTERM else -how
    claim(code == wanted, f"{name}: the server ended ({code})", server.text())
    # Of a server that was killed, the warden ends the rest.
    until = time.monotonic() + PATIENCE
    while ours() and time.monotonic() < until:
        time.sleep(0.02)
    left = [group for group in below(GROUPS) if group not in before and os.path.basename(group) != SERVER_GROUP]
    claim(not left, f"{name}: no group is left", left)
    lines = [line for line in server.text().splitlines() if '"level":"WARN"' in line or '"level":"ERROR"' in line]
    claim(not lines, f"{name}: nothing to warn of", "\n".join(lines))


def groups():
    """Where servers stand in the tree of control groups."""
    section("control groups")
    standing("in the root", None, "")
    standing("in the root, killed", None, "", how=signal.SIGKILL)
    service = made("system/service")
    standing("a service", service, "system/service")
    standing("a service, started again", service, "system/service")
    bounded("a service", service)
    limited = made("system/limited", limits=[("memory.max", str(2 << 30)), ("pids.max", "500")])
    standing("a service with limits", limited, "system/limited")

    delegated = made("delegated", owner=USER)
    standing("a user with a delegated group", delegated, "delegated", user=USER)
    bounded("a user with a delegated group", delegated, user=USER)
    found = doctor("--require", "cgroup", user=USER, group=delegated)
    claim(has(found, "namespace", [*ALWAYS, "cgroup"]), "a user with a delegated group has the layer", shown(found))

    # A container: its own view of the groups, and more in them than the server.
    container = made("container")
    with subprocess.Popen(["sleep", "1000"], preexec_fn=lambda: join(container)) as neighbour:
        script = f'umount {GROUPS} && mount -t cgroup2 none {GROUPS} && exec "$@"'
        wrap = ["unshare", "--cgroup", "--mount", "sh", "-c", script, "sh"]
        standing("a container with another process", container, "container", wrap=wrap)
        neighbour.kill()

    # Processes of others in a group with a limit: neither may they be moved, nor the limit be left.
    shared = made("system/shared", limits=[("memory.max", str(2 << 30))])
    with subprocess.Popen(["sleep", "1000"], preexec_fn=lambda: join(shared)) as other:
        found = doctor(group=shared)
        claim(has(found, "namespace", ALWAYS, ["cgroup"]) and "holds processes of others" in detail(found, "cgroup"),
              "in a group of others with a limit there is no such layer, and why is told", detail(found, "cgroup"))
        claim(str(other.pid) in read(shared, "cgroup.procs").split(), "the others stay where they are")
        other.kill()
    bare = made("bare/without")
    write(GROUPS, "bare/cgroup.subtree_control", "-memory")
    found = doctor(group=bare)
    claim("cgroup" not in enforced(found) and "controller `memory`" in detail(found, "cgroup"),
          "without the controller memory there is no such layer, and why is told", detail(found, "cgroup"))
    claim(not ours(), "the probes have left no group", ours())


def tests(name, filters, *, user=0, group=None, lacks=()):
    """Runs the project's tests, of which none may say that something is missing but what matches `lacks`."""
    section(f"tests {name}: {' '.join(filters)}")
    begun = time.monotonic()
    before = below(GROUPS)
    log = f"/tmp/tests-{user}.log"
    with open(log, "w", encoding="utf-8") as out:
        try:
            code = subprocess.run(
                [*by(user), TESTS, "--nocapture", "--test-threads", "2", *filters], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                timeout=TESTS_WITHIN, cwd="/tmp", preexec_fn=lambda: join(group),
            ).returncode
        except subprocess.TimeoutExpired:
            code = "timed out"
    text = open(log, encoding="utf-8", errors="replace").read()
    summary = re.findall(r"^test result: .*$", text, re.M)
    took = time.monotonic() - begun
    claim(code == 0, f"{name}: {summary[-1] if summary else code} ({took:.0f} s)", text[-20000:])
    missing = sorted(set(re.findall(r"not tested: this host lacks (.*)$", text, re.M)))
    surprising = [what for what in missing if not any(re.fullmatch(known, what) for known in lacks)]
    print("     not tested:", ", ".join(missing) or "nothing is missing", flush=True)
    claim(not surprising, f"{name}: nothing is missing that this machine should give", "\n".join(surprising))
    left = [group for group in below(GROUPS) if group not in before and os.path.basename(group) != SERVER_GROUP]
    claim(not left, f"{name}: no control group is left", left)


def claims(kernel, tree, filters):
    print(f"== {kernel}: {os.uname().release}, {read('/sys/kernel/security/lsm')}", flush=True)
    levels(kernel, tree)
    groups()
    if filters:
        all_tests(kernel, filters)
    else:
        print("     not run: the project's own tests, because none were named and the processor is emulated", flush=True)
    processes = subprocess.run(["pgrep", "-a", "coding-env"], capture_output=True, text=True).stdout
    claim(not processes, "no process is left", processes)
    oops = subprocess.run(["dmesg", "--level", "emerg,alert,crit"], capture_output=True, text=True).stdout
    claim(not oops, "the kernel complained of nothing", oops)


def all_tests(kernel, filters):
    """The project's tests, as root and as a user with a delegated group."""
    # Python packages, and servers of other projects, are no matter of the kernel's.
    always = [r"grpcurl", r"numpy.*", r"pandas.*", r"matplotlib.*", r"sk.*", r"sympy.*", r"torch.*"]
    old = [r"level landlock (as a user|without scopes)"] if kernel == "old" else []
    tests("as root", filters, lacks=always + old)
    group = made("delegated-tests/tests", owner=USER)
    delegate(os.path.dirname(group), USER)
    user = [r"level \w+ as root", r".*root.*"]
    tests("as a user with a delegated group", filters, user=USER, group=group, lacks=always + old + user)


def main():
    kernel, tree, filters = begin()
    with open("/dev/ttyS1", "wb", buffering=0) as report:
        child = os.fork()
        if child == 0:
            os.dup2(report.fileno(), 1)
            try:
                claims(kernel, tree, filters)
            except BaseException:
                claim(False, "the checks came to their end", traceback.format_exc())
            print(f"vm-test: FAILED: {len(failures)} claims" if failures else "vm-test: ok", flush=True)
            os._exit(0)
        # Orphans are the first process's.
        while os.wait()[0] != child:
            pass
        # What is on its way to the other side of the line.
        subprocess.run(["stty", "-F", "/dev/ttyS1", "-echo"], check=False)
        time.sleep(0.5)
    os.sync()
    ctypes.CDLL(None).reboot(RESTART)


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
        ctypes.CDLL(None).reboot(RESTART)
