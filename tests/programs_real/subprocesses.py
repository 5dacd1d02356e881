import os
import signal
import subprocess
import sys

print(subprocess.check_output(["sh", "-c", "echo from $0 $1", "a", "shell"], text=True))
print(subprocess.run("cat; echo err >&2; exit 7", shell=True, input=b"in\n", capture_output=True))
first = subprocess.Popen(["echo", "one two"], stdout=subprocess.PIPE)
second = subprocess.run(["tr", "a-z", "A-Z"], stdin=first.stdout, capture_output=True, text=True)
first.wait()
print(second.stdout)
try:
    subprocess.run(["sleep", "60"], timeout=0.05)
except subprocess.TimeoutExpired:
    print("timed out")
child = subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
print(child.stdout.readline())
child.send_signal(signal.SIGTERM)
print(child.wait())
print(subprocess.run([sys.executable, "-c", "import os; print(os.environ['X'], os.getcwd() == '/')"],
                     env={"X": "given"}, cwd="/", capture_output=True, text=True).stdout)
print(subprocess.getstatusoutput("false"))
read, write = os.pipe()
subprocess.run(["sh", "-c", f"echo passed >&{write}"], pass_fds=[write])
print(os.read(read, 100))
print(os.system("exit 5") >> 8)
print(os.popen("echo popen").read())
pid = os.fork()
if pid == 0:
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
