import os
os.write(1, b"fd one\n")
print("print")
os.write(2, b"fd two\n")
os.write(1, "unicode ñ\n".encode())
