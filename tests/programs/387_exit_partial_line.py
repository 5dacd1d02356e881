import sys
sys.stdout.write("partial line without end")
sys.exit(1)
