try:
    raise SystemExit(1)
except SystemExit as e:
    e.code = 8
    raise
