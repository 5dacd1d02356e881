import decimal
decimal.Decimal(1) / decimal.Decimal(0)
