# requires: 3.11
raise ExceptionGroup("twenty", [ValueError(i) for i in range(20)])
