print("fine")
print("bad \ud800")
