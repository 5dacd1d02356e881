print("this must not be printed")
open("/nonexistent/should/not/run")
def f(:
    pass
