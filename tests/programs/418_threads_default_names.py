import threading
def show(): pass
print(threading.Thread(target=print).name)
print(threading.Thread(target=show).name)
