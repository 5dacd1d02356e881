import argparse
p = argparse.ArgumentParser(prog="tool", usage="tool -n NUMBER")
p.add_argument("-n", type=int)
print("parsing")
p.parse_args(["-n", "many"])
