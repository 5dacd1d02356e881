import os
pids = []
for i in range(4):
    pid = os.fork()
    if pid == 0:
        os._exit(i * 10)
    pids.append(pid)
print([os.WEXITSTATUS(os.waitpid(p, 0)[1]) for p in pids])
