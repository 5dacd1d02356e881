import socket
a, b = socket.socketpair()
a.sendall(b"ping")
print(b.recv(10))
b.close()
print(a.recv(10))
a.close()
