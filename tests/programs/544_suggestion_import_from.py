# requires: 3.12
from collections import namedtupel
