import threading
print(threading.current_thread() is threading.main_thread(), threading.current_thread().name)
print(threading.active_count())
t = threading.Thread(target=lambda: print(threading.current_thread().name), name="worker-x")
t.start()
t.join()
print(t.is_alive(), threading.active_count())
