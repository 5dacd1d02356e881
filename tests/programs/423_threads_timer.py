import threading
done = threading.Event()
t = threading.Timer(0.01, done.set)
t.start()
print(done.wait(5))
t.join()
