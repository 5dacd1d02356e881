# requires: 3.13
x = b"é"
