import signal, time
fired = []
signal.signal(signal.SIGALRM, lambda *a: fired.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.05)
print(fired)
