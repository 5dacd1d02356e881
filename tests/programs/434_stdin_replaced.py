import sys, io
sys.stdin = io.StringIO("Ada\n36\n")
name = input("name: ")
age = int(input())
print(name, age + 1)
