print("nul \x00 here", "esc \x1b[31mred\x1b[0m", "cr a\rb", sep="\n")
