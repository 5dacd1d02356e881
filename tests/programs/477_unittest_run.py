import unittest
class T(unittest.TestCase):
    def setUp(self): self.v = [1]
    def test_ok(self): self.assertEqual(self.v, [1])
    def test_fail(self): self.assertTrue(False)
    def test_error(self): raise KeyError("k")
    @unittest.skip("why")
    def test_skip(self): pass
    def test_raises(self):
        with self.assertRaises(ZeroDivisionError):
            1 / 0
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
print(r.testsRun, len(r.failures), len(r.errors), len(r.skipped))
print(r.failures[0][1].splitlines()[-1], r.errors[0][1].splitlines()[-1])
