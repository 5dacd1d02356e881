exec("import sys; sys.exit(24)")
