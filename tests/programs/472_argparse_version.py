import argparse
p = argparse.ArgumentParser(prog="tool")
p.add_argument("--version", action="version", version="%(prog)s 1.0")
p.parse_args(["--version"])
