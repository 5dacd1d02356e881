import multiprocessing


def child(connection):
    connection.send([connection.recv() * 2, "sent"])
    connection.close()


ours, theirs = multiprocessing.Pipe()
process = multiprocessing.Process(target=child, args=(theirs,))
process.start()
ours.send(21)
print(ours.recv())
process.join()
print(process.exitcode)
