import sys
def main(argv):
    if not argv:
        print("usage: prog FILE", file=sys.stderr)
        return 2
    return 0
if __name__ == "__main__":
    sys.exit(main([]))
