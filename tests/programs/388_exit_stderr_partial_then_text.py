import sys
sys.stderr.write("partial ")
sys.exit("rest")
