//! Programs that keep something in a copy of theirs, or make a copy that they reach into: it is not let begin, and no fork is made of it.

use coding_env::client::{CodingEnv, Reason};
use coding_env::proto::v1;

use crate::support::copies::{each_level, has_uids, prepared, run};
use crate::support::files::{Files, path};
use crate::support::{Server, wait_until};

/// The harness's own functions, as a program can find and replace them. With `seen` it says that nothing is in the way of a copy.
const HARNESS: &str = r#"
import mmap, os, select, socket, sys, threading, time
frame = sys._getframe()
while 'COPIES_SOURCE' not in frame.f_globals: frame = frame.f_back
H = frame.f_globals
exec(compile(H['COPIES_SOURCE'], 'harness', 'exec'), H)
own = dict(H)
def instead(name, function): H[name] = function
def restore(): H.update({name: own[name] for name in ('renew_file', 'renew_mapping', 'move_paths', 'look_at_descriptors', 'look_at_process')})
def seen(worker, held, fds):
    own['look_at_descriptors'](worker, held, fds)
    return {}
def without_streams(worker, held, fds):
    found = seen(worker, held, fds)
    for fds in held.streams: fds.clear()
    return found
def then(action):
    def move_paths(*all):
        action()
        return own['move_paths'](*all)
    instead('move_paths', move_paths)
def alone(worker): return (0, 0) + tuple(own['look_at_process'](worker)[2:])
def leave_child():
    if os.fork() == 0: time.sleep(1000)
def leave_orphan():
    pid = os.fork()
    if pid == 0:
        leave_child()
        os._exit(0)
    os.waitpid(pid, 0)
"#;

/// What is kept, how, and what the warden says of it.
const KEPT: [(&str, &str, &str); 11] = [
    (
        "a file",
        "f = open('f', 'w+'); instead('renew_file', lambda *all: None)",
        "its descriptor",
    ),
    (
        "a directory",
        "d = os.open('.', os.O_RDONLY); instead('renew_file', lambda *all: None)",
        "its descriptor",
    ),
    (
        "shared memory",
        "m = mmap.mmap(-1, 4096); instead('renew_mapping', lambda *all: True)",
        "it shares memory",
    ),
    (
        "a file in memory",
        "f = open('f', 'wb+'); f.truncate(4096); m = mmap.mmap(f.fileno(), 4096, access=mmap.ACCESS_COPY); f.close(); instead('renew_mapping', lambda *all: True)",
        "it has a file of another's in memory",
    ),
    (
        "an end of a pipe",
        "pipe = os.pipe(); instead('look_at_descriptors', seen)",
        "its descriptor",
    ),
    (
        "a socket",
        "pair = socket.socketpair(); instead('look_at_descriptors', seen)",
        "its descriptor",
    ),
    (
        "what waits for events",
        "e = select.epoll(); instead('look_at_descriptors', seen)",
        "its descriptor",
    ),
    (
        "its output",
        "instead('look_at_descriptors', without_streams)",
        "its descriptor",
    ),
    ("a child", "then(leave_child)", "it has started a process"),
    (
        "a child of the parent's that could have opened it",
        "child = os.fork()\nif child == 0: time.sleep(1000)\ninstead('look_at_process', alone)",
        "its parent is not alone",
    ),
    (
        "an orphan",
        "then(leave_orphan)",
        "another process has something of it",
    ),
];

/// What the warden says of a copy that it does not let begin.
const REFUSED: &str = "a copy is not what it should be";

/// Whether a fork fails. It is asked for once: a client would try again.
async fn is_refused(server: &Server, env: &CodingEnv) -> bool {
    are_refused(server, env, 2).await
}

async fn are_refused(server: &Server, env: &CodingEnv, count: u32) -> bool {
    let request = v1::ForkRequest {
        episode_id: env.episode_id().unwrap().to_owned(),
        count,
        ..Default::default()
    };
    let refusal = server.raw().await.fork(request).await.err();
    refusal.is_some_and(|refusal| {
        eprintln!("{}", refusal.message());
        matches!(
            refusal.code(),
            tonic::Code::Unavailable | tonic::Code::FailedPrecondition
        )
    })
}

#[tokio::test]
async fn a_copy_that_keeps_something_of_its_parents_does_not_begin() {
    each_level(async |server: &mut Server, level| {
        if !has_uids(level) {
            return;
        }
        server.expect_log(REFUSED);
        for (what, how, why) in KEPT {
            let mut env = prepared(server, &format!("{HARNESS}{how}")).await;
            let told = |server: &Server| {
                let log = server.log().into_iter();
                log.filter(|line| line.contains(REFUSED) && line.contains(why))
                    .count()
            };
            let before = told(server);
            assert!(is_refused(server, &env).await, "{level}: {what} is kept");
            wait_until("the warden has said why", || told(server) > before);
            // The parent is as it was.
            assert_eq!(
                run(&mut env, "restore(); 1 + 1").await,
                "2",
                "{level}: {what}"
            );
        }
    })
    .await;
}

/// Puts machine code into memory, where it begins at `start`, with numbers beside it, `told`.
#[cfg(target_arch = "x86_64")]
const MACHINE_CODE: &str = "\
import ctypes, mmap, os
code = bytes.fromhex(code)
memory = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
memory[:len(code)] = code
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
told = (ctypes.c_int64 * 8).from_address(start + 0x1000)";

/// What makes a process that shares its maker's memory, becomes an orphan, and then the copy that the next fork is to make, as far as the warden lets it: machine code, because it
/// can't run the interpreter whose memory it is in. It tells what it is answered: to the question for all, to setresgid, setresuid and prctl, and that it has come so far.
#[cfg(target_arch = "x86_64")]
const SHARER: &str = concat!(
    "4889fbbf11010000488b3331d24531d24531c0b8380000000f0585c0740931ffb83c0000000f0549b96d61726b636f707948c7c7ffffffffbe0100000031d2b8",
    "7a0000000f054885c07909b8180000000f05ebdd4889430848c1e81e4989c44c89e74c89e64c89e2b8770000000f05488943104c89e74c89e64c89e2b8750000",
    "000f0548894318bf04000000be0100000031d24531d24531c0b89d0000000f054889432048c7432801000000b8220000000f05ebf7",
);

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn a_process_that_shares_the_memory_of_an_episode_becomes_no_copy_of_it() {
    each_level(async |server: &mut Server, level| {
        if !has_uids(level) {
            return;
        }
        server.expect_log(REFUSED);
        server.expect_log("a process that asks as a copy is refused");
        let start = format!(
            "code = '{SHARER}'\n{MACHINE_CODE}\n\
             told[0] = start + 0x8000\n\
             clone = ctypes.CDLL(None, use_errno=True).clone\n\
             clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]\n\
             def begin():\n\
             \x20   os.waitpid(clone(start, start + 0x4000, 0x100 | 17, start + 0x1000), 0)\n\
             os.register_at_fork(before=begin)"
        );
        let mut parent = prepared(server, &start).await;
        assert!(is_refused(server, &parent).await, "{level}");
        // It got what the copy was to get and changed its user, but was not let on. Or it was seen beforehand.
        let answers = run(
            &mut parent,
            "told[1] > 0, told[2], told[3], told[4], told[5]",
        )
        .await;
        let allowed = [
            "(True, 0, 0, 0, 0)",
            "(True, 0, 0, -1, 0)",
            "(True, 0, 0, -1, 1)",
            "(True, 0, 0, 0, 1)",
            "(False, 0, 0, 0, 0)",
        ];
        assert!(allowed.contains(&&*answers), "{level}: {answers}");
    })
    .await;
}

/// A thread's start routine that opens the memory of whichever process gets one of the next three numbers, tries that as often as its argument's first number says, keeps the
/// descriptor in the second, and ends. Machine code, because a fork waits for the interpreter's lock.
#[cfg(target_arch = "x86_64")]
const OPENER: &str = concat!(
    "415741564155415455534989f8ba00000000b8ba0000004889d74889d60f054989c6498b00488d50ff4989104885c07e264d8d6603498d78104c8d5424f749b9",
    "67666666666666664c8d6c24f8498d5e01eb5949894008b8000000005b5d415c415d415e415fc3498b00488d50ff4989104885c07fd7ebdf4d8d781641c6072f",
    "41c647016d41c647026541c647036d41c6470400b8020000004889f20f054885c079b04883c3014c39e37fbb41c640102f41c640117041c640127241c640136f",
    "41c640146341c640152f4885db74a94989db41bf010000004c89d849f7e948c1fa024c89d848c1f83f4829c2488d04924801c04929c34183c33047881c3a4989",
    "d34c89f94983c7014885d275cb4d8d781685c90f8463ffffff4863d14c01ea8d41ff4d8d5c00174c89f84883c0010fb66aff408868ff4883ea014c39d875eb8d",
    "41ff4d8d7c0701e930ffffff",
);

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn a_parent_can_open_the_memory_of_no_copy_that_is_being_made() {
    each_level(async |server: &mut Server, level| {
        if level != "namespace" {
            return;
        }
        server.expect_log(REFUSED);
        let start = format!(
            "code = '{OPENER}'\n{MACHINE_CODE}\n\
             told[0], told[1] = 20000, -1\n\
             create = ctypes.CDLL(None).pthread_create\n\
             create.argtypes = [ctypes.c_void_p] * 4\n\
             os.register_at_fork(before=lambda: create(ctypes.addressof(ctypes.c_long()), None, start, start + 0x1000))"
        );
        let mut parent = prepared(server, &start).await;
        are_refused(server, &parent, 1).await;
        assert_eq!(run(&mut parent, "told[1]").await, "-1");
    })
    .await;
}

#[tokio::test]
async fn no_code_of_the_parents_runs_before_its_copies_are_others() {
    each_level(async |server: &mut Server, level| {
        if !has_uids(level) {
            return;
        }
        let watch = "import os\nkept = []\n\
                     def look():\n\
                     \x20   try: names = os.listdir('/proc')\n\
                     \x20   except OSError: return\n\
                     \x20   for name in names:\n\
                     \x20       if name.isdigit() and int(name) != os.getpid():\n\
                     \x20           try: kept.append((name, os.open('/proc/' + name + '/mem', os.O_RDWR)))\n\
                     \x20           except OSError: pass\n\
                     os.register_at_fork(after_in_parent=look)";
        let mut parent = prepared(server, watch).await;
        for _ in 0..5 {
            for child in parent.fork(8).await.unwrap() {
                drop(child);
            }
            assert_eq!(run(&mut parent, "kept").await, "[]", "{level}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_process_that_a_program_left_is_in_the_way_of_a_copy() {
    each_level(async |server: &mut Server, level| {
        let leave = "import os, time\npid = os.fork()\n\
                     if pid == 0:\n\
                     \x20   if os.fork() == 0: time.sleep(1000)\n\
                     \x20   os._exit(0)\n\
                     _ = os.waitpid(pid, 0)";
        let mut parent = prepared(server, leave).await;
        let error = parent.fork(1).await.unwrap_err();
        assert!(
            error.reason() == Some(&Reason::ForkUnsupported)
                && error.to_string().contains("left runs"),
            "{level}: {error}"
        );
        assert_eq!(run(&mut parent, "1 + 1").await, "2");
    })
    .await;
}

/// A fork that is refused touches nothing, whatever came about while it was looked at.
#[tokio::test]
async fn a_process_that_is_left_while_a_fork_is_refused_lives_on() {
    each_level(async |server: &mut Server, level| {
        if has_uids(level) {
            return;
        }
        let leave = "pair = socket.socketpair()\n\
                     def look(worker):\n\
                     \x20   r, w = os.pipe()\n\
                     \x20   if os.fork() == 0:\n\
                     \x20       pid = os.fork()\n\
                     \x20       if pid == 0: time.sleep(1000)\n\
                     \x20       os.write(w, b'%d' % pid)\n\
                     \x20       os._exit(0)\n\
                     \x20   os.wait()\n\
                     \x20   global left\n\
                     \x20   left = int(os.read(r, 20))\n\
                     \x20   os.close(r); os.close(w)\n\
                     \x20   return own['look_at_process'](worker)\n\
                     instead('look_at_process', look)";
        let mut parent = prepared(server, &format!("{HARNESS}{leave}")).await;
        let error = parent.fork(1).await.unwrap_err();
        assert_eq!(error.reason(), Some(&Reason::ForkUnsupported), "{error}");
        assert!(error.to_string().contains("socket"), "{error}");
        // What it would get would come before what is asked for now.
        parent.interrupter().unwrap().interrupt().await.unwrap();
        assert_eq!(
            run(&mut parent, "os.kill(left, 0); 1").await,
            "1",
            "{level}"
        );
    })
    .await;
}

/// What is told of one fork is not taken for the next one's, however soon that comes.
#[tokio::test]
async fn a_fork_that_was_refused_leaves_nothing_to_the_next() {
    const ROUNDS: usize = 50;
    each_level(async |server: &mut Server, level| {
        let alternate = "looks = 0\n\
                         def look(worker, held, fds):\n\
                         \x20   global looks\n\
                         \x20   looks += 1\n\
                         \x20   found = own['look_at_descriptors'](worker, held, fds)\n\
                         \x20   return {'sockets': ['one']} if looks % 2 else found\n\
                         instead('look_at_descriptors', look)";
        let env = prepared(server, &format!("{HARNESS}{alternate}")).await;
        let request = v1::ForkRequest {
            episode_id: env.episode_id().unwrap().to_owned(),
            count: 1,
            ..Default::default()
        };
        let mut raw = server.raw().await;
        for round in 0..ROUNDS {
            let refusal = raw.fork(request.clone()).await.unwrap_err();
            assert_eq!(
                refusal.code(),
                tonic::Code::FailedPrecondition,
                "{level}: {refusal}"
            );
            let forked = raw.fork(request.clone()).await;
            let child = match forked {
                Ok(forked) => forked.into_inner().children.remove(0),
                Err(refusal) => panic!("{level}, round {round}: {}", refusal.message()),
            };
            let close = v1::CloseRequest {
                episode_id: child.episode_id,
            };
            raw.close(close).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_branch_makes_of_its_cells_directory_leads_nowhere_and_goes_with_the_last() {
    each_level(async |server: &mut Server, level| {
        if level != "landlock without uids" {
            return;
        }
        server.expect_log("copied");
        let left = |server: &Server| std::fs::read_dir(server.state_dir()).unwrap().count();
        let before = left(server);
        let mut env = prepared(server, "import os\nhome = os.getcwd()").await;
        let copy = env.fork(1).await.unwrap().remove(0);
        let id = env.episode_id().unwrap().to_owned();
        // It can do what it likes there, and no further.
        let swap = "open('../junk', 'w').close(); os.mkdir('../full'); open('../full/file', 'w').close()\n\
                    os.rename(home, '../moved'); os.symlink('/etc', home)\n\
                    try: os.rename(os.path.dirname(home), os.path.dirname(home) + '-moved')\n\
                    except OSError as error: print(type(error).__name__)";
        let reply = env.step(swap).await.unwrap();
        assert_eq!(reply.stdout(), "PermissionError\n", "{reply:?}");
        // The server follows nothing: neither for a client nor for the next copy.
        let mut files = Files::of(server.raw().await, &id);
        let read = files.read(vec![path("hostname")]).await;
        assert!(read.is_err(), "{read:?}");
        assert!(is_refused(server, &env).await);
        env.close().await.unwrap();
        let mut copy = copy;
        assert_eq!(run(&mut copy, "os.listdir()").await, "[]");
        copy.close().await.unwrap();
        wait_until("nothing is left", || left(server) <= before);
    })
    .await;
}
