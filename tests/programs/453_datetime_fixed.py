from datetime import datetime, date, timedelta, timezone
d = datetime(2024, 2, 29, 13, 5, 7, tzinfo=timezone.utc)
print(d, d.isoformat(), d + timedelta(days=366), d.strftime("%Y/%j %H:%M"), d.timestamp())
print(date(2024, 1, 1).weekday(), date(2024, 12, 30).isocalendar()[1], repr(timedelta(hours=25)))
print(datetime.strptime("01.02.2023", "%d.%m.%Y"), d.astimezone(timezone(timedelta(hours=-5))))
try:
    date(2023, 2, 29)
except ValueError as e:
    print(type(e).__name__)
