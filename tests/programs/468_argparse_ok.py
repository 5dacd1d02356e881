import argparse
p = argparse.ArgumentParser(prog="tool", description="A tool.")
p.add_argument("file")
p.add_argument("-n", "--number", type=int, default=3)
p.add_argument("-v", action="count", default=0)
p.add_argument("--mode", choices=["a", "b"])
ns = p.parse_args(["in.txt", "-n", "5", "-vv", "--mode", "b"])
print(ns.file, ns.number, ns.v, ns.mode)
print(p.format_usage())
