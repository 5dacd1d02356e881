import logging, sys
logging.raiseExceptions = False
logging.warning("needs %d", "text")
print("survived")
