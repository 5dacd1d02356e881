# requires: 3.12
import sys
sys.exit(())
