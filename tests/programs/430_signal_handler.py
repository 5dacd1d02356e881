import signal, os
def handler(num, frame):
    print("got", signal.Signals(num).name)
signal.signal(signal.SIGUSR1, handler)
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
print("end")
