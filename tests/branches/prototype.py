"""What a cell with two branches stands on: a reaper ends one branch with all its daemons, and the other goes on.

Argument: the isolation level. A branch's root is a subreaper and the reaper's own child, so whoever else is a child of the reaper descends
from a branch that has ended. Every process of a branch holds the write end of the branch's pipe: it reads as ended when the last is gone.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446  # on every architecture
SCOPES = 3  # abstract sockets and signals
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
MS_NOSUID_NODEV_NOEXEC, MS_REC_PRIVATE = 14, 0x44000
DAEMONS = 5
ROUNDS_MAX, SECONDS_MAX = 100_000, 20

libc = ctypes.CDLL(None, use_errno=True)


def done(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option):
    done(libc.prctl(option, 1, 0, 0, 0))


def enter_domain():
    """A Landlock domain that signals don't leave. False where the kernel has none."""
    attributes = (ctypes.c_uint64 * 3)(0, 0, SCOPES)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(24), 0)
    if ruleset < 0:
        return False
    prctl(PR_SET_NO_NEW_PRIVS)
    done(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    return True


def enter_namespaces():
    """Goes on as the first process of a pid namespace; the one outside ends as that does."""
    uid, gid = os.geteuid(), os.getegid()
    done(libc.unshare(CLONE_NEWPID | CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)))
    if uid:
        for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
    pid = os.fork()
    if pid:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
    done(libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None))
    done(libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID_NODEV_NOEXEC, None))


def daemon(ready, work):
    """Starts a process that has left its parents, and their session, and takes no signal that can be refused."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    os.write(ready, b"%8d" % os.getpid())
    work()
    os._exit(0)


def stay():
    if os.fork() == 0:
        signal.pause()
    while True:
        signal.pause()


def run_away():
    """Is always another process: its parent has just ended."""
    while True:
        if os.fork():
            os._exit(0)


class Branch:
    def __init__(self, kills_its_root):
        self.alive, alive = os.pipe()
        ready, told = os.pipe()
        self.root = os.fork()
        if self.root == 0:
            os.setsid()
            prctl(PR_SET_CHILD_SUBREAPER)
            enter_domain()
            root = os.getpid()
            for _ in range(DAEMONS):
                daemon(told, stay)
            # The sibling's are counted below, so it has none that change.
            if kills_its_root is not None:
                daemon(told, run_away)
            if kills_its_root:
                daemon(told, lambda: (os.kill(root, signal.SIGKILL), stay()))
            while True:
                signal.pause()
        os.close(alive)
        os.close(told)
        count = DAEMONS + (kills_its_root is not None) + bool(kills_its_root)
        self.daemons = [int(os.read(ready, 8)) for _ in range(count)]
        os.close(ready)

    def has_ended(self):
        return bool(select.select([self.alive], [], [], 0)[0])


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return {int(pid) for pid in file.read().split()}


def reap():
    """A child that has ended, if there is one."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] or None
    except ChildProcessError:
        return None


def end(branch, roots):
    """Ends a branch. `roots` are those of all others. Returns in how many rounds, or None when it got away."""
    os.kill(branch.root, signal.SIGKILL)
    deadline = time.monotonic() + SECONDS_MAX
    for rounds in range(1, ROUNDS_MAX):
        while (pid := reap()) is not None:
            if pid in roots:
                raise AssertionError("a sibling's root has ended")
        orphans = children() - roots
        if not orphans:
            return rounds
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return None


def parents(branch):
    """The state and the parent of each daemon, as /proc tells."""
    found = []
    for pid in branch.daemons:
        with open(f"/proc/{pid}/stat") as file:
            state, parent = file.read().rpartition(")")[2].split()[:2]
        found.append((state != "Z", int(parent)))
    return found


def main(level):
    if level == "namespace":
        enter_namespaces()
    else:
        enter_domain()
    prctl(PR_SET_CHILD_SUBREAPER)
    told = []
    sibling = Branch(None)
    for kills_its_root in (False, True):
        branch = Branch(kills_its_root)
        started = time.monotonic()
        rounds = end(branch, {sibling.root})
        milliseconds = (time.monotonic() - started) * 1000
        told.append({
            "kills_its_root": kills_its_root, "rounds": rounds, "milliseconds": round(milliseconds, 1),
            "ended": branch.has_ended(), "sibling_lives": parents(sibling) == [(True, sibling.root)] * DAEMONS,
        })
    told.append({"rounds": end(sibling, set()), "ended": sibling.has_ended()})
    print(json.dumps(told))


main(sys.argv[1])
