import threading
def hook(args):
    print("thread failed:", args.exc_type.__name__, args.exc_value, args.thread.name)
threading.excepthook = hook
t = threading.Thread(target=lambda: 1 / 0, name="bad")
t.start()
t.join()
print("main fine")
