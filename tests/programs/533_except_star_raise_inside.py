# requires: 3.11
try:
    raise ExceptionGroup("eg", [ValueError("v")])
except* ValueError as e:
    raise RuntimeError("from the handler")
