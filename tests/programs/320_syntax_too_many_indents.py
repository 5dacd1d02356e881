if 1: pass
exec(''.join(" " * i + "if 1:\n" for i in range(110)) + " " * 110 + "pass\n")
