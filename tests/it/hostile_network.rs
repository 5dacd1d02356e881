//! Catalogue D: the network. There is none: no socket but pairs, and those reach nobody else.

use std::os::unix::net::UnixDatagram;

use crate::support::Server;
use crate::support::hostile::{Case, attempts, case, numbers, run, shown};
use crate::support::places::{Level, Place, each_place};

/// What the filter may answer for a kind of socket that every kernel has.
const NO_SOCKET: &str = "EPERM EACCES ENOSYS EAFNOSUPPORT";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_network() {
    each_place(&[], async |place, server| {
        let dir = tempfile::tempdir().unwrap();
        let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(dir.path(), everyone).unwrap();
        let path = dir.path().join("socket");
        let by_path = UnixDatagram::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .unwrap();
        let abstract_name = format!("coding-env-test-{}", std::process::id());
        let by_name = bind_abstract(&abstract_name);
        for socket in [&by_path, &by_name] {
            socket.set_nonblocking(true).unwrap();
        }
        let mut wrong = run(
            server,
            cases(place, server, path.to_str().unwrap(), &abstract_name),
        )
        .await;
        for (what, socket) in [("by path", &by_path), ("abstract", &by_name)] {
            if socket.recv(&mut [0; 64]).is_ok() {
                wrong.push(format!("82 a message came through to a socket {what}"));
            }
        }
        wrong
    })
    .await;
}

fn bind_abstract(name: &str) -> UnixDatagram {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    UnixDatagram::bind_addr(&address).unwrap()
}

fn cases(place: Place, server: &Server, path: &str, abstract_name: &str) -> Vec<Case> {
    let numbers = numbers![SYS_socket SYS_socketpair SYS_connect SYS_bind SYS_listen SYS_sendto];
    // Names of sockets are the cell's own at this level, and multiprocessing.Manager needs them.
    let private = place.level == Level::Namespace;
    let unix = if private { "done" } else { NO_SOCKET };
    let port = server.address().rsplit(':').next().unwrap();
    let setup = format!(
        "{numbers}
import socket
def new(*kind): return lambda: socket.socket(*kind)
def connect(address):
    with socket.socket() as s: s.settimeout(2); s.connect(address)
def listen(port):
    with socket.socket() as s: s.bind(('0.0.0.0', port)); s.listen()"
    );
    let pairs = format!(
        "{numbers}
import socket
stream, far = socket.socketpair()
try: ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
except OSError: ours, theirs = stream, far
names = [{path:?}, '\\0' + {abstract_name:?}]"
    );
    vec![
        case(
            "76, 77, 80, 81 sockets of every family and type",
            format!(
                "{numbers}
made = []
for family in range(64):
    for kind in (1, 2, 3, 4, 5, 6, 10, 1 | 0o2000000, 2 | 0o4000):
        for protocol in (0, 1, 6, 17, 58, 132, 262):
            try: made.append((family, kind, protocol, os.close(syscall(SYS_socket, family, kind, protocol))))
            except OSError: pass
print(json.dumps(made))"
            ),
            move |reply| {
                let made: Vec<[Option<u32>; 4]> = serde_json::from_str(reply.stdout().trim()).map_err(|_| shown(reply))?;
                let mut other = made.iter().filter(|socket| !(private && socket[0] == Some(1)));
                other.next().map_or(Ok(()), |socket| Err(format!("a socket of {socket:?}")))
            },
        ),
        attempts(
            "76 to 81 sockets by their names",
            &setup,
            &[
                ("76 TCP", "new(socket.AF_INET, socket.SOCK_STREAM)()", NO_SOCKET),
                ("77 UDP", "new(socket.AF_INET, socket.SOCK_DGRAM)()", NO_SOCKET),
                ("78 MPTCP", "new(socket.AF_INET, socket.SOCK_STREAM, 262)()", NO_SOCKET),
                ("80 TCP over IPv6", "new(socket.AF_INET6, socket.SOCK_STREAM)()", NO_SOCKET),
                ("80 UDP over IPv6", "new(socket.AF_INET6, socket.SOCK_DGRAM)()", NO_SOCKET),
                ("80 netlink", "new(socket.AF_NETLINK, socket.SOCK_RAW, 0)()", NO_SOCKET),
                ("80 packet", "new(socket.AF_PACKET, socket.SOCK_RAW, 0)()", NO_SOCKET),
                ("80 raw ICMP", "new(socket.AF_INET, socket.SOCK_RAW, 1)()", NO_SOCKET),
                ("80 ping", "new(socket.AF_INET, socket.SOCK_DGRAM, 1)()", NO_SOCKET),
                ("81 vsock", "new(socket.AF_VSOCK, socket.SOCK_STREAM)()", NO_SOCKET),
                ("41 AF_ALG", "new(socket.AF_ALG, socket.SOCK_SEQPACKET)()", NO_SOCKET),
                ("82 unix", "new(socket.AF_UNIX, socket.SOCK_STREAM)()", unix),
                ("high bits of the family", "syscall(SYS_socket, 2 | 1 << 32, 1, 0)", NO_SOCKET),
                ("TCP as a pair", "syscall(SYS_socketpair, 2, 1, 0, (ctypes.c_int * 2)())", "EPERM EACCES ENOSYS EAFNOSUPPORT EOPNOTSUPP"),
                ("76 the metadata service", "connect(('169.254.169.254', 80))", NO_SOCKET),
                ("76 this server", &format!("connect(('127.0.0.1', {port}))"), NO_SOCKET),
                ("79 this server's port", &format!("listen({port})"), NO_SOCKET),
                ("79 any port", "listen(0)", NO_SOCKET),
                ("76 a name", "socket.getaddrinfo('example.com', 80)", "-2 -3 EPERM EACCES"),
                ("80 the interfaces", "socket.if_nameindex()", NO_SOCKET),
            ],
        ),
        attempts(
            "76 libraries say so too",
            "import urllib.request, asyncio",
            &[
                // An URLError is an OSError without a number.
                ("urllib", &format!("urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=2)"), "None"),
                ("asyncio", "asyncio.run(asyncio.open_connection('127.0.0.1', 80))", NO_SOCKET),
            ],
        ),
        attempts(
            "82, 83 pairs reach nobody but their other end",
            &pairs,
            &[
                ("the other end", "ours.send(b'x') and theirs.recv(1)", "done"),
                ("send to a path", "ours.sendto(b'x', names[0])", PAIR_REFUSED),
                ("send to a name", "ours.sendto(b'x', names[1])", PAIR_REFUSED),
                ("connect to a path", "ours.connect(names[0])", PAIR_REFUSED),
                ("connect to a name", "ours.connect(names[1])", PAIR_REFUSED),
                ("sendmsg to a path", "ours.sendmsg([b'x'], [], 0, names[0])", PAIR_REFUSED),
                ("sendmsg to a name", "ours.sendmsg([b'x'], [], 0, names[1])", PAIR_REFUSED),
                ("connect a stream", "stream.connect(names[0])", PAIR_REFUSED),
                ("bind a name", "ours.bind('\\0taken')", if private { "done EPERM" } else { "EPERM EACCES ENOSYS" }),
                ("listen", "stream.listen()", "EPERM EACCES ENOSYS EINVAL"),
            ],
        ),
        case(
            "83 descriptors sent to the server",
            "import socket
channel = None
for fd in range(3, 64):
    try: channel = channel or socket.socket(fileno=os.dup(fd))
    except OSError: pass
sent = 0
if channel is not None:
    channel.setblocking(False)
    try:
        for _ in range(300): socket.send_fds(channel, [b'x'], [0] * 50); sent += 1
    except (OSError, ValueError): pass
print('end')",
            |reply| {
                // Nothing of it arrives, or the channel is broken, and that is told.
                let told = reply.done || reply.stdout() == "end\n";
                told.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
    ]
}

/// What stands in the way of a message to a socket of somebody else's: the filter, the domain, or that it can't be found.
const PAIR_REFUSED: &str = "EPERM EACCES ENOSYS ENOENT ECONNREFUSED EROFS EISCONN EOPNOTSUPP";
