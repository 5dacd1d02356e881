quit(26)
