import sys
def hook(t, v, tb):
    print("hook got", t.__name__, v)
    print("on stderr", file=sys.stderr)
sys.excepthook = hook
raise ValueError("for the hook")
