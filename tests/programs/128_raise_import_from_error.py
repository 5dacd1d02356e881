from math import flooor
