import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname)s:%(name)s:%(funcName)s:%(lineno)d:%(message)s")
def f():
    logging.getLogger("x").debug("inside")
f()
logging.info("at top")
print("plain")
