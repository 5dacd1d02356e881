# requires: 3.12
print("x")
sys.exit(3)
