import multiprocessing


def work(shared, listed):
    shared["from"] = "child"
    listed.append(1)


with multiprocessing.Manager() as manager:
    shared, listed = manager.dict(), manager.list()
    process = multiprocessing.Process(target=work, args=(shared, listed))
    process.start()
    process.join()
    print(dict(shared), list(listed))
