import sys
sys.exit("größe 日本 \ud800")
