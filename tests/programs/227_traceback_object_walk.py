import traceback
def a(): b()
def b(): c()
def c(): raise RuntimeError("deep")
try:
    a()
except RuntimeError as e:
    for f in traceback.extract_tb(e.__traceback__):
        print(f.name, f.lineno, f.line)
