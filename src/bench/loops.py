"""What resets are compared with beside cells: a bare fork, in an interpreter that has the harness's modules loaded.

Descriptor 3 is this file, 4 the harness. Commands on standard input, one a line: how many seconds to go on. Each is answered by a
line: how many forks, and the seconds that they took. The end of standard input ends it.
"""

import os
import sys
import time


def bare(until):
    count = 0
    while time.monotonic() < until:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        count += 1
    return count


def main():
    with open("/proc/self/fd/4", encoding="utf-8") as file:
        source, call, _ = file.read().rpartition("\ntemplate(")
    assert call, "the harness no longer ends with a call of its template"
    exec(compile(source, "/proc/self/fd/4", "exec"), {"__name__": "__main__", "__file__": "/proc/self/fd/4"})
    for line in sys.stdin:
        begun = time.monotonic()
        count = bare(begun + float(line))
        print(count, time.monotonic() - begun, flush=True)


main()
