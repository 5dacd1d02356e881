s = "a\r\nb\rc\n"
print(s.splitlines(), repr(s))
print("tab\there", "null\x00byte", "bell\a".encode(), r"raw\n")
