import argparse
p = argparse.ArgumentParser(prog="tool", add_help=False)
p.add_argument("--help", action="help", help="show it")
p.parse_args(["--help"])
