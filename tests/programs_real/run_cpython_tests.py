"""Runs CPython's own test modules and prints, as one line of JSON, how each test ended.

Arguments: modules, or classes in them, under `test`. What is printed: {test id: [status, last line of the traceback]}.
"""

import io
import json
import os
import sys
import tempfile
import unittest

os.chdir(tempfile.mkdtemp())
real = sys.stdout
sys.stdout = sys.stderr = io.TextIOWrapper(open("output", "wb"))


class Notes(unittest.TestResult):
    ends = {}

    def note(self, test, status, detail=""):
        # A sub-test that fails is its test's failure.
        self.ends[test.id()] = [status, detail]

    def addSuccess(self, test):
        self.ends.setdefault(test.id(), ["ok", ""])

    def addError(self, test, error):
        kind, what, frame = error
        status = "error"
        while frame is not None:
            # The constructor of sockets: an episode has no network.
            if kind is PermissionError and frame.tb_frame.f_code.co_filename.endswith(os.sep + "socket.py"):
                status = "no network"
            frame = frame.tb_next
        self.note(test, status, f"{kind.__name__}: {what}"[:300])

    def addFailure(self, test, error):
        self.note(test, "failure", f"{error[0].__name__}: {error[1]}"[:300])

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.note(test, "failure", f"{error[0].__name__}: {error[1]}"[:300])

    def addSkip(self, test, reason):
        self.note(test, "skipped", reason[:300])

    def addExpectedFailure(self, test, error):
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        self.note(test, "unexpected success")


loader = unittest.defaultTestLoader
result = Notes()
for name in sys.argv[1:]:
    loader.loadTestsFromName(name).run(result)
sys.stdout.flush()
print(json.dumps(result.ends), file=real)
real.flush()
os._exit(0)
