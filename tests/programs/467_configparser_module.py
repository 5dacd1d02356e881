import configparser, io
c = configparser.ConfigParser()
c.read_string("[a]\nx = 1\nflag = yes\n[b]\ny = %(z)s/2\nz = base\n")
print(c.sections(), c.getint("a", "x"), c.getboolean("a", "flag"), c["b"]["y"])
out = io.StringIO()
c.write(out)
print(out.getvalue())
try:
    c.get("a", "nope")
except configparser.NoOptionError as e:
    print(e)
