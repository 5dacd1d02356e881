import threading
loc = threading.local()
loc.v = "main"
ready, done = threading.Event(), threading.Event()
def f():
    ready.wait()
    print(hasattr(loc, "v"))
    done.set()
t = threading.Thread(target=f)
t.start()
ready.set()
done.wait()
t.join()
print(loc.v)
