def compute(distance):
    total_length = distance * 2
    return total_lenght
compute(3)
