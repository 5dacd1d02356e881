import sys
sys.stdout.reconfigure(errors="backslashreplace")
print("lone \ud800 surrogate")
sys.stdout.reconfigure(newline="\r\n")
print("crlf")
