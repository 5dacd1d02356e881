import signal
class Timeout(Exception): pass
def handler(n, f):
    raise Timeout("from the handler")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try:
    while True:
        pass
except Timeout as e:
    print("caught", e)
