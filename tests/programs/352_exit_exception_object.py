import sys
sys.exit(ValueError("as an argument"))
