# requires: 3.13
import threading
def fail():
    raise ValueError("in a thread")
t = threading.Thread(target=fail, name="failing")
t.start()
t.join()
print("main still exits 0")
