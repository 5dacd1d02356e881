# requires: 3.11
e = ValueError("base")
e.add_note("first note")
e.add_note("second\nwith two lines")
print(e.__notes__)
raise e
