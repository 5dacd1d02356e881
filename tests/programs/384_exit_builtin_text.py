exit("message of exit()")
