class Stop(BaseException):
    pass
print("start")
raise Stop("not an Exception")
