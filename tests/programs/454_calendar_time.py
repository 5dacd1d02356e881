import calendar, time
print(calendar.month(2024, 2))
print(calendar.isleap(2100), time.strftime("%Y-%m-%d", time.gmtime(0)), calendar.timegm((1970, 1, 2, 0, 0, 0)))
