"snow \u2603".encode("ascii")
