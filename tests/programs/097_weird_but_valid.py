print((lambda: 1)() if [] else {}.get(0, ...))
print(not-1, - -1, +-+1, (1)if(1)else 2, [1,2,][0], (1,))
print("con" "cat" 'enated', b"a" b"b", "\N{SNOWMAN}", "\101\x41\u0041")
assert True, "never"
pass
...
"a string statement"
