# requires: 3.13
x = 1
x.y.z