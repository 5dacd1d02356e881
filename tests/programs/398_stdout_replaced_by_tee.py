import sys
class Tee:
    def __init__(self, s): self.s = s
    def write(self, t):
        self.s.write(t.upper())
    def flush(self): self.s.flush()
sys.stdout = Tee(sys.stdout)
print("loud")
sys.stdout = sys.__stdout__
print("quiet")
