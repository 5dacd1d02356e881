import os, tempfile
with tempfile.TemporaryFile() as f:
    saved = os.dup(1)
    os.dup2(f.fileno(), 1)
    print("into the file")
    os.system("echo from a shell")
    os.dup2(saved, 1)
    os.close(saved)
    f.seek(0)
    content = f.read()
print(content)
