import statistics as st
d = [2, 4, 4, 4, 5, 5, 7, 9]
print(st.mean(d), st.median(d), st.mode(d), st.pstdev(d), st.variance(d), st.quantiles(d, n=4))
try:
    st.mean([])
except st.StatisticsError as e:
    print(type(e).__name__)
