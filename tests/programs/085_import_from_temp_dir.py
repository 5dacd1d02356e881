import sys, tempfile, os
with tempfile.TemporaryDirectory() as d:
    with open(os.path.join(d, "my_temp_module.py"), "w") as fh:
        fh.write("VALUE = 42\nprint('imported', __name__)\n")
    sys.path.insert(0, d)
    sys.dont_write_bytecode = True
    import my_temp_module
    print(my_temp_module.VALUE)
    sys.path.remove(d)
