a = {"k": [1, None]}
x = a["k"][0] + a["k"][1].real
