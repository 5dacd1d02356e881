import logging
logging.warning("default handler %d", 1)
logging.info("not shown")
log = logging.getLogger("app.sub")
log.error("named %s", "logger")
