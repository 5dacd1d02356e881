import unittest
class T(unittest.TestCase):
    def test_bad(self): self.fail("no")
class Runner:
    def run(self, suite):
        r = unittest.TestResult()
        suite.run(r)
        return r
unittest.main(argv=["prog"], testRunner=Runner())
