import sys
lines = []
def tracer(frame, event, arg):
    if frame.f_code.co_name == "target":
        lines.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return tracer
def target():
    a = 1
    return a
sys.settrace(tracer)
target()
sys.settrace(None)
print(lines)
