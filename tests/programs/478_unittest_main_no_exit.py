import unittest
class T(unittest.TestCase):
    def test_a(self): self.assertIn(1, [1])
    def test_b(self):
        for i in range(2):
            with self.subTest(i=i):
                self.assertEqual(i, 0)
class Runner:
    def run(self, suite):
        r = unittest.TestResult()
        suite.run(r)
        print("ran", r.testsRun, "failed", len(r.failures))
        return r
if __name__ == "__main__":
    prog = unittest.main(argv=["prog"], testRunner=Runner(), exit=False)
    print(prog.result.wasSuccessful())
