import os
print(os.system("echo shell") >> 8)
print(os.system("exit 3") >> 8)
with os.popen("echo through popen") as p:
    print(p.read().strip())
