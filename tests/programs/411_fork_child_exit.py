import os
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(r)
    os.write(w, b"from the child")
    os._exit(7)
os.close(w)
data = os.read(r, 100)
os.close(r)
_, status = os.waitpid(pid, 0)
print(data, os.WEXITSTATUS(status), os.WIFEXITED(status))
