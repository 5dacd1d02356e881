import logging
logging.basicConfig(format="%(levelname)s %(message)s")
def f():
    return {}["missing"]
try:
    f()
except KeyError:
    logging.exception("it failed")
print("done")
