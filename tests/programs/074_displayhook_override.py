import sys
sys.displayhook = lambda v: print("display", v)
exec(compile("40 + 2", "<x>", "single"))
sys.displayhook = sys.__displayhook__
