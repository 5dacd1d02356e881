import sys
print("out")
sys.exit("text to stderr")
