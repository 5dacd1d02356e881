# requires: 3.13
if True:
        x = 1
	y = 2
