"""What resets are compared with: the same work without the server, and a bare fork.

Two processes, as in a server: the first, which stands for the warden, only waits for children; the second is a
template. It runs the embedded harness, unchanged but for one thing: orders to fork come from here, not from a warden.

Descriptors: 3 the null device, 4 the native half, 5 this file, 6 the harness. Commands on standard input, one a line:
`workers SECONDS` or `bare SECONDS`. Each is answered by a line: how many, and the seconds that it took. The end of standard
input ends it.
"""

import os
import struct
import sys
import time

import _socket

COMMANDS, ANSWERS = 0, 1


def reap_until(template):
    """The warden's part."""
    while True:
        pid, _ = os.wait()
        if pid == template:
            os._exit(0)


class Native:
    """The harness's native half, with orders that come from this file.

    Several workers are under way at a time, in three stages, so that a core never idles while one waits for another
    process: starting, running the step, ending.
    """

    STARTING, RUNNING, ENDING = 4, 2, 4  # the most in each stage

    def __init__(self, native, harness, directory):
        self.native = native
        self.directory = directory
        self.starting, self.running, self.ending = [], [], []
        self.number = 0
        self.count = 0
        self.begun = self.until = 0.0
        source = b"x = 1"
        setup = harness["SETUP_HEADER"].pack(harness["SETUP"], 0, 0, 4 << 30, 1024, 1 << 30, 0)
        step = struct.pack("<BII", 2, 1, 1 << 18) + source
        self.requests = b"".join(struct.pack("<I", len(request)) + request for request in (setup, step))
        self.ready = struct.pack("<IB", 1, harness["READY"])

    def __getattr__(self, name):
        return getattr(self.native, name)

    def clone_worker(self):
        pid = self.native.clone_worker()
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        if pid:
            self.starting[-1][0] = pid
        return pid

    def receive_order(self, _):
        """Takes the oldest worker of each full stage on to the next, then orders another one."""
        self.advance(self.STARTING - 1, self.RUNNING - 1, self.ENDING - 1)
        while time.monotonic() >= self.until:
            if self.until:
                self.advance(0, 0, 0)
                os.write(ANSWERS, b"%d %f\n" % (self.count, time.monotonic() - self.begun))
            words = read_line(COMMANDS).split()
            if not words:
                return None
            self.count, self.begun = 0, time.monotonic()
            self.until = self.begun + float(words[1])
            if words[0] == b"bare":
                self.bare()
        workspace = os.path.join(self.directory, b"w%d" % self.number)
        self.number += 1
        control, theirs = _socket.socketpair()
        out, out_writer = os.pipe()
        err, err_writer = os.pipe()
        self.starting.append([0, workspace, control, out, err])
        return workspace, theirs.detach(), out_writer, err_writer

    def advance(self, starting, running, ending):
        """Leaves no more than these in each stage."""
        while len(self.starting) > starting:
            worker = self.starting.pop(0)
            self.begin_step(*worker)
            self.running.append(worker)
        while len(self.running) > running:
            worker = self.running.pop(0)
            self.end_step(*worker)
            self.ending.append(worker)
        while len(self.ending) > ending:
            self.clear_up(*self.ending.pop(0))
            self.count += 1

    def begin_step(self, pid, workspace, control, out, err):
        if control.recv(len(self.ready)) != self.ready:
            raise RuntimeError("the worker is not ready")
        control.sendall(self.requests)

    def end_step(self, pid, workspace, control, out, err):
        report = control.recv(4096)
        if report[4:10] != struct.pack("<BIB", 2, 1, 1):
            raise RuntimeError("the step did not complete: {!r}".format(report))
        os.kill(pid, 9)

    def clear_up(self, pid, workspace, control, out, err):
        try:
            # Its descriptors close after its memory has gone.
            control.recv(1)
        except ConnectionResetError:
            pass
        control.close()
        os.close(out)
        os.close(err)
        os.rmdir(workspace)

    def bare(self):
        """The bare loop."""
        while time.monotonic() < self.until:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
            self.count += 1


def read_line(fd):
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(fd, 1)
        if not byte:
            return b""
        line += byte
    return line


def main():
    template = os.fork()
    if template:
        reap_until(template)
    with open("/proc/self/fd/6", encoding="utf-8") as file:
        source, call, _ = file.read().rpartition("\ntemplate(")
    assert call, "the harness no longer ends with a call of its template"
    harness = {"__name__": "__main__", "__file__": "/proc/self/fd/6", "__builtins__": __builtins__}
    exec(compile(source, "/proc/self/fd/6", "exec"), harness)
    load_native = harness["load_native"]
    harness["load_native"] = lambda: Native(load_native(), harness, os.fsencode(sys.argv[1]))
    harness["template"]([])


main()
