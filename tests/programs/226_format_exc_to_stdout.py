import traceback
try:
    {}["x"]
except KeyError as e:
    text = traceback.format_exc()
    print(text.splitlines()[0])
    print(text.splitlines()[-1])
    print(traceback.format_exception_only(type(e), e))
