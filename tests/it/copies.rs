//! What a copy of a live episode has for itself, and what keeps it apart from its parent, in each place that gives a level.

use std::time::Duration;

use coding_env::client::{CodingEnv, Error, Reason, StepOptions};
use coding_env::proto::v1;

use crate::support::copies::{
    each_level, each_level_with, has_uids, keeps_signals_apart, prepared, run,
};
use crate::support::{PATIENCE, worker_of};

async fn fork(env: &mut CodingEnv, count: usize) -> Vec<CodingEnv> {
    env.fork(count).await.unwrap()
}

#[tokio::test]
async fn a_copy_goes_on_from_its_parents_heap_files_and_directory() {
    each_level(async |server, _| {
        let mut parent = prepared(
            server,
            "import os\nx = [1, 2]\nos.makedirs('d/e')\nopen('d/e/f', 'w').write('parent')\nos.chdir('d')\n\
             os.environ['OWN'] = 'set'\nhome = os.path.dirname(os.getcwd())\nf = open('e/f'); f.read(3)\nimport json",
        )
        .await;
        let mut copies = fork(&mut parent, 3).await;
        for (index, copy) in copies.iter_mut().enumerate() {
            assert_eq!(run(copy, "x, os.environ['OWN'], f.read()").await, "([1, 2], 'set', 'ent')");
            assert_eq!(run(copy, "os.path.basename(os.getcwd()), open('e/f').read()").await, "('d', 'parent')");
            run(copy, &format!("x.append({index}); _ = open('e/f', 'w').write('copy {index}')")).await;
        }
        // What one does, none of the others sees.
        assert_eq!(run(&mut parent, "x, open('e/f').read(), f.read()").await, "([1, 2], 'parent', 'ent')");
        for (index, copy) in copies.iter_mut().enumerate() {
            assert_eq!(run(copy, "x, open('e/f').read()").await, format!("([1, 2, {index}], 'copy {index}')"));
            let reply = copy.step("print('out'); import sys; print('err', file=sys.stderr); os.write(1, b'raw')").await.unwrap();
            assert!(reply.stdout() == "out\nraw" && reply.stderr() == "err\n", "{reply:?}");
        }
        // The parent's end is not theirs, and copies of copies go on.
        parent.close().await.unwrap();
        let mut last = copies.remove(0);
        drop(copies);
        for depth in 0..5 {
            let mut next = fork(&mut last, 1).await.remove(0);
            assert_eq!(run(&mut next, &format!("x.append({depth}); len(x), os.getcwd() == os.path.join(os.environ['HOME'], 'd')")).await, format!("({}, True)", 4 + depth));
            last.close().await.unwrap();
            last = next;
        }
    })
    .await;
}

#[tokio::test]
async fn open_files_and_shared_memory_become_the_copys_own() {
    each_level(async |server, level| {
        let mut parent = prepared(
            server,
            "import os, mmap, tempfile\n\
             written = open('w', 'w+b', buffering=0); written.write(b'0123456789')\n\
             twice = open('w', 'rb', buffering=0); twice.seek(4)\n\
             nameless = tempfile.TemporaryFile(); nameless.write(b'gone'); nameless.flush()\n\
             shared = mmap.mmap(-1, 4096); shared[:2] = b'ab'\n\
             mapped = mmap.mmap(written.fileno(), 10); \n\
             doubled = os.dup(written.fileno()); named = os.open('w', os.O_PATH)\n\
             saved = os.dup(1)",
        )
        .await;
        let mut copy = fork(&mut parent, 1).await.remove(0);
        run(
            &mut copy,
            "shared[:2] = b'cd'; mapped[:2] = b'xy'; mapped.flush(); written.write(b'!'); os.write(doubled, b'?'); nameless.write(b'copy'); nameless.flush()",
        )
        .await;
        let state = "shared[:2], mapped[:2], open('w', 'rb').read(), written.tell(), twice.read(2), os.pread(nameless.fileno(), 99, 0)";
        assert_eq!(run(&mut copy, state).await, "(b'cd', b'xy', b'xy23456789!?', 12, b'45', b'gonecopy')", "{level}");
        assert_eq!(run(&mut parent, state).await, "(b'ab', b'01', b'0123456789', 10, b'45', b'gone')", "{level}");
        let reply = copy.step("os.write(saved, b'through a copy of stdout')").await.unwrap();
        assert_eq!(reply.stdout(), "through a copy of stdout");
        let reply = parent.step("pass").await.unwrap();
        assert_eq!(reply.stdout(), "");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_copied_is_named_and_the_episode_goes_on() {
    each_level(async |server, _| {
        for (code, word, undo) in [
            ("import threading\ngo = threading.Event()\nt = threading.Thread(target=go.wait); t.start()", "threads", "go.set(); t.join()"),
            ("import subprocess\np = subprocess.Popen(['sleep', '100'])", "child_processes", "p.kill(); _ = p.wait()"),
            ("import socket\na, b = socket.socketpair()", "sockets", "a.close(); b.close()"),
            ("import os\nr, w = os.pipe()", "pipes", "os.close(r); os.close(w)"),
            ("import select\ne = select.epoll()", "event_loop", "e.close()"),
        ] {
            let mut env = prepared(server, code).await;
            let refusal = env.fork(2).await.unwrap_err();
            assert_eq!(refusal.reason(), Some(&Reason::ForkUnsupported), "{refusal:?}");
            assert!(format!("{refusal:?}").contains(word), "{refusal:?}");
            run(&mut env, undo).await;
            let mut copy = fork(&mut env, 1).await.remove(0);
            assert_eq!(run(&mut copy, "1 + 1").await, "2", "{code}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_branch_ends_with_what_it_started_and_the_others_go_on() {
    each_level(async |server, level| {
        let mut parent = prepared(server, "import os, subprocess, time, signal").await;
        let mut copies = fork(&mut parent, 2).await;
        let daemon = "\
            r, w = os.pipe()\nif os.fork() == 0:\n  os.setsid()\n  if os.fork(): os._exit(0)\n  signal.signal(signal.SIGTERM, signal.SIG_IGN)\n  \
            os.write(w, b'%d' % os.getpid())\n  time.sleep(1000)\n  os._exit(0)\nos.wait()\npid = int(os.read(r, 20))\nos.close(r); os.close(w)";
        for env in copies.iter_mut().chain([&mut parent]) {
            run(env, daemon).await;
        }
        let alive = "open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0] in 'SR'";
        let mut ended = copies.remove(0);
        ended.close().await.unwrap();
        for env in copies.iter_mut().chain([&mut parent]) {
            if !level.starts_with("landlock") {
                assert_eq!(run(env, alive).await, "True", "{level}");
            }
            // One that timed out is gone with all it had; the next one finds nobody's leftovers in its way.
            assert_eq!(run(env, "1").await, "1");
        }
        // The end of the root is the branch's, and not the cell's.
        let reply = copies[0].step("os.kill(os.getpid(), 9)").await.unwrap();
        assert_eq!(reply.outcome(), v1::Outcome::Killed, "{reply:?}");
        assert_eq!(run(&mut parent, "2").await, "2");
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_breaks_as_it_is_made_is_told_of_at_once_and_its_parent_goes_on() {
    each_level(async |server, level| {
        let leave = "import os\nos.register_at_fork(after_in_child=lambda: os._exit(3))\nx = 1";
        let mut parent = prepared(server, leave).await;
        let refused = parent.fork(2).await.unwrap_err();
        assert_eq!(refused.reason(), Some(&Reason::ForkFailed), "{level}");
        let told = refused.to_string();
        // Another try would meet the same: the client makes none.
        let Error::Refused(refused) = refused else {
            panic!("{told}")
        };
        assert_eq!(refused.retry_after, None, "{told}");
        assert!(
            told.contains("a copy failed: it ended before it was ready"),
            "{told}"
        );
        assert_eq!(run(&mut parent, "x").await, "1");
    })
    .await;
}

/// The parent may go on before its copies are ready, and its next step wait for nothing but that.
#[tokio::test]
async fn what_the_parent_does_next_is_not_in_its_copies() {
    const ROUNDS: usize = 20;
    each_level(async |server, level| {
        // With the last, copies read of their parent what it would change.
        let held = "import mmap, os\nx = 0\nf = open('f', 'w+'); _ = f.write('0123456789' * 9), f.seek(0)\nd = os.dup(f.fileno())";
        let shared = "m = mmap.mmap(-1, 4096); n = open('g', 'w+'); os.unlink('g'); _ = n.write('before'), n.flush()";
        for more in ["m = n = None", shared] {
            let mut parent = prepared(server, &format!("{held}\n{more}")).await;
            let mut raw = server.raw().await;
            for round in 0..ROUNDS {
                let episode_id = parent.episode_id().unwrap().to_owned();
                let request = v1::ForkRequest {
                    episode_id,
                    count: 2,
                    ..Default::default()
                };
                let change = "x += 1; _ = os.read(d, 2), open('f', 'a').write('x'), m and m.__setitem__(0, 1), n and (n.truncate(0), n.flush())";
                let restore = "_ = m and m.__setitem__(0, 0), n and (n.seek(0), n.write('before'), n.flush())";
                let count = parent.state().await.unwrap().state.unwrap().step_count;
                let (forked, changed) = tokio::join!(raw.fork(request), parent.step(change));
                let changed = changed.unwrap();
                assert_eq!(
                    changed.outcome(),
                    v1::Outcome::Completed,
                    "{level}: {changed:?}"
                );
                let forked = forked.unwrap().into_inner();
                // The step may have been first.
                let was_first = forked.parent.unwrap().step_count > count;
                let before = round + usize::from(was_first);
                for child in forked.children {
                    let step = v1::StepRequest {
                        episode_id: child.episode_id,
                        action: Some(v1::CodeAction {
                            code: "x, f.tell(), os.lseek(d, 0, 1), len(open('f').read()) - 90, m and m[0], n and os.fstat(n.fileno()).st_size".to_owned(),
                        }),
                        ..Default::default()
                    };
                    let reply = raw.step(step).await.unwrap().into_inner();
                    let place = 2 * before;
                    let rest = match more == shared {
                        true if !was_first => "0, 6",
                        true => "1, 0",
                        false => "None, None",
                    };
                    assert_eq!(reply.result(), Some(&*format!("({before}, {place}, {place}, {before}, {rest})")), "{level}: {reply:?}");
                }
                run(&mut parent, restore).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn forks_of_one_episode_that_wait_for_one_another_all_come() {
    const ROUNDS: usize = 30;
    each_level(async |server, level| {
        let mut parent = prepared(server, "x = 7").await;
        let request = v1::ForkRequest {
            episode_id: parent.episode_id().unwrap().to_owned(),
            count: 2,
            ..Default::default()
        };
        let raw = server.raw().await;
        for _ in 0..ROUNDS {
            let fork = || {
                let (mut raw, request) = (raw.clone(), request.clone());
                async move { raw.fork(request).await }
            };
            let (a, b, c) = tokio::join!(fork(), fork(), fork());
            for forked in [a, b, c] {
                let forked = forked.unwrap_or_else(|refusal| panic!("{level}: {refusal}"));
                for child in forked.into_inner().children {
                    let close = v1::CloseRequest {
                        episode_id: child.episode_id,
                    };
                    raw.clone().close(close).await.unwrap();
                }
            }
        }
        assert_eq!(run(&mut parent, "x").await, "7", "{level}");
    })
    .await;
}

/// Numbers of processes come round, and in a cell of its own the next one can be chosen from outside.
#[tokio::test]
async fn a_copy_may_have_the_number_of_a_process_that_has_ended() {
    each_level(async |server, level| {
        if level != "namespace" {
            return;
        }
        let orphan = "\
            import os, time\nr, w = os.pipe()\nif os.fork() == 0:\n  if os.fork() == 0: os.write(w, b'%d' % os.getpid())\n  os._exit(0)\n\
            _ = os.wait()\nnumber = int(os.read(r, 20))\nos.close(r); os.close(w)\nwhile os.path.exists(f'/proc/{number}'): time.sleep(0.001)";
        let mut parent = prepared(server, orphan).await;
        let number: u32 = run(&mut parent, "number").await.parse().unwrap();
        let worker = worker_of(server, &mut parent).await.to_string();
        let set = format!("echo {} > /proc/sys/kernel/ns_last_pid", number - 1);
        let entered = ["--target", &worker, "--pid", "sh", "-c", &set];
        let status = std::process::Command::new("nsenter").args(entered).status();
        assert!(status.unwrap().success());
        let mut copies = fork(&mut parent, 1).await;
        assert_eq!(run(&mut copies[0], "os.getpid()").await, number.to_string());
    })
    .await;
}

#[tokio::test]
async fn random_state_is_the_parents_or_as_ordered() {
    use coding_env::client::ForkOptions;
    each_level(async |server, _| {
        let mut parent =
            prepared(server, "import random; random.seed(5); _ = random.random()").await;
        let mut inherit = ForkOptions::default();
        inherit.random = v1::RandomState::Inherit;
        let mut same = parent.fork_with(2, inherit).await.unwrap();
        let mut seeded = ForkOptions::default();
        seeded.seeds = vec![7, 8];
        let mut seeded = parent.fork_with(2, seeded).await.unwrap();
        let mut fresh = fork(&mut parent, 2).await;
        let next = "random.random()";
        let own = run(&mut parent, next).await;
        for copy in &mut same {
            assert_eq!(run(copy, next).await, own);
        }
        for (copy, seed) in seeded.iter_mut().zip([7, 8]) {
            assert_eq!(
                run(
                    copy,
                    &format!("random.random() == random.Random({seed}).random()")
                )
                .await,
                "True"
            );
        }
        let [a, b] = [
            run(&mut fresh[0], next).await,
            run(&mut fresh[1], next).await,
        ];
        assert!(a != b && a != own, "{a} {b} {own}");
    })
    .await;
}

#[tokio::test]
async fn a_large_group_and_a_deep_chain_leave_nothing() {
    each_level(async |server, _| {
        let mut parent = prepared(server, "x = 0").await;
        let mut copies = fork(&mut parent, 64).await;
        for (index, copy) in copies.iter_mut().enumerate() {
            assert_eq!(
                run(copy, &format!("x += {index}; x")).await,
                index.to_string()
            );
        }
        drop(copies);
        for depth in 1..=110 {
            let mut next = fork(&mut parent, 1).await.remove(0);
            assert_eq!(run(&mut next, "x += 1; x").await, depth.to_string());
            parent.close().await.unwrap();
            parent = next;
        }
    })
    .await;
}

/// What one branch of a tree tries on another, whose root's process id is `other`.
const KILLS: &str = "import os, signal\nkills = (lambda: os.kill(other, 0), lambda: os.kill(other, signal.SIGKILL))";
const REACH: &str = "\
import os
def tried(action):
    try: action()
    except OSError as error: return error.errno
    return 0
reach = [tried(action) for action in kills + (
    lambda: os.listdir(f'/proc/{other}/fd'),
    lambda: open(f'/proc/{other}/mem', 'rb'), lambda: os.readlink(f'/proc/{other}/root'), lambda: os.listdir(f'/proc/{other}/root/workspace'),
    lambda: os.listdir(f'/proc/{other}/cwd'), lambda: os.open(f'/proc/{other}/fd/1', os.O_WRONLY), lambda: open(f'/proc/{other}/environ').read(), lambda: os.listdir(f'/proc/{other}/map_files'))]
";

/// What only a copy that is being made is answered: by the mark that tells the filter so.
const MARKED: &str = "\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def marked(number, *arguments):
    rest = list(arguments) + [0] * (5 - len(arguments))
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, rest), ctypes.c_ulong(0x7970_6f63_6b72_616d))
    return 0 if result >= 0 else ctypes.get_errno()
";

#[tokio::test]
async fn branches_can_neither_signal_nor_read_one_another() {
    each_level(async |server, level| {
        if level == "none" {
            return;
        }
        // What is around the workspace, as far as it can be opened.
        let around = if level == "namespace" { "'/', os.O_RDONLY" } else { "'..', os.O_PATH" };
        let mut parent = prepared(server, &format!("import os\nparent = os.getpid()\nhome = os.getcwd()\nopen('secret', 'w').write('parent')\ntop = os.open({around})\nhere = os.open('.', os.O_RDONLY)")).await;
        let mut copies = fork(&mut parent, 2).await;
        let pid = run(&mut copies[1], "os.getpid()").await;
        run(&mut copies[1], "_ = open('secret', 'w').write('sibling')").await;
        // Upwards, sideways, and downwards.
        for (index, other) in [(0, "parent"), (0, &*pid), (2, &*pid)] {
            let env = if index == 2 { &mut parent } else { &mut copies[index] };
            let kills = if keeps_signals_apart(level) { KILLS } else { "kills = ()" };
            let reached = run(env, &format!("other = {other}\n{kills}\n{REACH}\nreach")).await;
            let mut reached: Vec<u32> = serde_json::from_str(&reached).unwrap();
            // What the server tells is not kept apart: what leads into its workspace, and its channel. Of the latter a number is no secret.
            match level {
                "landlock without uids" => drop(reached.drain(4..8)),
                "namespace without uids" => drop(reached.remove(0)),
                _ => {}
            }
            assert!(!reached.contains(&0), "{index} {other}: {reached:?}");
        }
        if !has_uids(level) {
            return;
        }
        // All that there is, for a copy, is its branch.
        if keeps_signals_apart(level) {
            let child = "if (child := os.fork()) == 0:\n  import time; time.sleep(1000)";
            for env in [&mut copies[1], &mut parent] {
                run(env, child).await;
            }
            let all = format!("{child}\nos.kill(-1, 9); ended = os.waitpid(child, 0)[1]\nended, 0 in [tried(lambda: os.kill(-group, 0)) for group in (parent, {pid})]");
            assert_eq!(run(&mut copies[0], &all).await, "(9, False)", "{level}");
            for env in [&mut copies[1], &mut parent] {
                assert_eq!(run(env, "os.waitpid(child, os.WNOHANG)").await, "(0, 0)", "{level}");
                run(env, "os.kill(child, 9); _ = os.waitpid(child, 0)").await;
            }
        }
        // What was open before leads to the copy's own files, or to what it may not enter.
        let open = "[tried(lambda: print(open(path, opener=lambda path, flags: os.open(path, flags, dir_fd=fd)).read())) for fd, path in ((here, 'secret'), (top, 'workspace/secret'))]";
        let reply = copies[0].step(open).await.unwrap();
        assert_eq!((reply.result(), reply.stdout()), (Some("[0, 0]"), "parent\nparent\n"), "{reply:?}");
        run(&mut copies[0], "_ = open('secret', 'w').write('own')").await;
        let reply = copies[0].step(open).await.unwrap();
        assert_eq!(reply.stdout(), "own\nown\n", "{reply:?}");
        assert_eq!(run(&mut parent, "open('secret').read()").await, "'parent'");
        // Where paths differ, none leads to another's files, whatever that one does to let others in.
        let paths = "[tried(lambda: action(parents)) for action in (os.listdir, os.chdir, lambda path: os.stat(path + '/secret'), lambda path: open(path + '/secret'), lambda path: open(path + '/new', 'w'), lambda path: os.listdir(os.path.dirname(path)), lambda path: os.listdir(os.path.dirname(os.path.dirname(path))))]";
        let home = run(&mut parent, "os.chmod('.', 0o777); os.chmod('secret', 0o666); home").await;
        let own = run(&mut copies[0], "os.getcwd()").await;
        if home != own {
            assert_eq!(run(&mut copies[0], &format!("parents = {home}\n{paths}")).await, "[13, 13, 13, 13, 13, 13, 13]");
            assert_eq!(run(&mut parent, &format!("parents = {own}\n{paths}")).await, "[13, 13, 13, 13, 13, 13, 13]");
        }
    })
    .await;
}

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn nobody_but_a_copy_that_is_being_made_becomes_another() {
    const ASK: u32 = 122; // setfsuid
    const SETRESUID: u32 = 117;
    const SETRESGID: u32 = 119;
    const CHROOT: u32 = 161;
    const CLONE: u32 = 56;
    each_level(async |server, level| {
        if !has_uids(level) {
            return;
        }
        let mut parent = prepared(server, MARKED).await;
        let mut copy = fork(&mut parent, 1).await.remove(0);
        for env in [&mut parent, &mut copy] {
            let calls = format!(
                "own = os.getuid()\n[marked({SETRESUID}, 0, 0, 0), marked({SETRESUID}, own, own, own), marked({SETRESGID}, 0, 0, 0), \
                 marked({SETRESUID}, own + 1, own + 1, own + 1), marked({CHROOT}, id(b'.') + 32), marked({ASK}, -1, 1, 0), marked({ASK}, -1, 2), marked({ASK}, -1, 3)]"
            );
            assert_eq!(run(env, &calls).await, "[1, 1, 1, 1, 1, 1, 1, 1]", "{level}");
            // A process that makes itself the reaper's child is no copy, and goes with its branch.
            let sibling = format!(
                "r, w = os.pipe()\npid = libc.syscall(ctypes.c_long({CLONE}), ctypes.c_long(0x8000 | 17), *[ctypes.c_long(0)] * 5)\n\
                 if pid == 0:\n  os.write(w, b'%d' % marked({ASK}, -1, 1, 0)); os._exit(0)\nos.close(w); said = os.read(r, 9); os.close(r); said"
            );
            assert_eq!(run(env, &sibling).await, "b'1'", "{level}");
            assert_eq!(run(env, "os.getuid() == own").await, "True");
        }
        // And forks go on afterwards.
        let mut next = fork(&mut copy, 1).await.remove(0);
        assert_eq!(run(&mut next, "os.getuid() not in (own, 0)").await, "True");
    })
    .await;
}

#[tokio::test]
async fn an_episode_that_lets_signals_wait_is_bounded_and_ends_nobody_else() {
    const QUEUED_SIGNALS_MAX: i32 = 256;
    let queue = "import ctypes, errno, os, signal\n\
                 libc = ctypes.CDLL(None, use_errno=True)\n\
                 _ = signal.pthread_sigmask(signal.SIG_BLOCK, {40})\n\
                 count = 0\n\
                 while count < 100_000 and libc.sigqueue(os.getpid(), 40, 0) == 0: count += 1\n\
                 for _ in range(1000): os.kill(os.getpid(), 40)\n\
                 count, errno.errorcode[ctypes.get_errno()]";
    each_level(async |server, level| {
        let mut bystander = prepared(server, "x = 1").await;
        let mut parent = prepared(server, "x = 2").await;
        let mut copies = fork(&mut parent, 3).await;
        let filled = run(&mut parent, queue).await;
        let filled = filled.trim_matches(['(', ')']).split_once(", ").unwrap();
        let count: i32 = filled.0.parse().unwrap();
        assert_eq!(filled.1, "'EAGAIN'", "{level}");
        // Where episodes have one uid, others' signals count too, also those of other servers.
        assert!(count <= QUEUED_SIGNALS_MAX, "{level}: {count}");
        assert!(
            !has_uids(level) || count == QUEUED_SIGNALS_MAX,
            "{level}: {count}"
        );
        // What the server asks for by signals still comes to pass: an end, an interrupt, copies.
        copies.remove(0).close().await.unwrap();
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_millis(200));
        let hung = copies[0]
            .step_with("while True: pass", options)
            .await
            .unwrap();
        assert_eq!(hung.outcome(), v1::Outcome::TimedOut, "{level}: {hung:?}");
        assert_eq!(run(&mut copies[1], "x").await, "2", "{level}");
        let mut more = fork(&mut copies[1], 2).await;
        assert_eq!(run(&mut more[1], "x").await, "2", "{level}");
        assert_eq!(run(&mut bystander, "x").await, "1", "{level}");
    })
    .await;
}

#[tokio::test]
async fn two_branches_of_a_tree_fork_at_the_same_time() {
    each_level(async |server, level| {
        let mut parent = prepared(server, "x = 0").await;
        let mut branches = fork(&mut parent, 4).await;
        for round in 0..10 {
            let forks = branches.iter_mut().map(|branch| branch.fork(2));
            for made in futures_util::future::join_all(forks).await {
                for mut child in made.unwrap_or_else(|error| panic!("{level}, {round}: {error:?}"))
                {
                    assert_eq!(run(&mut child, "x").await, "0");
                    child.close().await.unwrap();
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_branch_that_is_frozen_stops_no_other() {
    each_level_with(&["--background-cpu-time", "100ms"], async |server, level| {
        let mut parent = prepared(server, "import threading").await;
        let mut copies = fork(&mut parent, 2).await;
        let spin = "def spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()";
        run(&mut copies[0], spin).await;
        let begun = std::time::Instant::now();
        while copies[0].state().await.unwrap().status() != v1::EpisodeStatus::Frozen {
            assert!(begun.elapsed() < PATIENCE, "{level}: it was not frozen");
        }
        // One that was stopped with it would say nothing until its time is up.
        for env in [&mut parent, &mut copies[1]] {
            assert_eq!(run(env, "1 + 1").await, "2", "{level}");
            assert_eq!(run(env, "import time; time.sleep(0.01); 2").await, "2", "{level}");
        }
        assert_eq!(run(&mut copies[0], "2 + 1").await, "3", "{level}");
    })
    .await;
}

#[tokio::test]
async fn files_of_every_kind_and_mode_are_copied_as_they_are() {
    let make = "import os, stat\n\
                _ = open('one', 'w').write('one'); os.mkdir('full'); os.link('one', 'full/two')\n\
                os.mkfifo('pipe'); os.chmod('pipe', 0o604); os.symlink('one', 'link')\n\
                _ = open('locked', 'w').write('locked'); os.chmod('locked', 0)\n\
                os.mkdir('closed'); _ = open('closed/inner', 'w').write('inner'); os.chmod('closed', 0)";
    // What is locked is opened last: its owner may.
    let seen = "kinds = [(name, oct(os.lstat(name).st_mode), os.lstat(name).st_nlink) for name in sorted(os.listdir())]\n\
                os.chmod('closed', 0o700); os.chmod('locked', 0o600)\n\
                texts = [open(name).read() for name in ('one', 'full/two', 'link', 'locked', 'closed/inner')]\n\
                os.chmod('closed', 0); os.chmod('locked', 0)\n\
                kinds, texts, os.stat('one').st_ino == os.stat('full/two').st_ino";
    each_level(async |server, level| {
        let mut parent = prepared(server, make).await;
        let mut copy = fork(&mut parent, 1).await.remove(0);
        let expected = run(&mut parent, seen).await;
        assert!(
            expected.contains("('one', '0o100644', 2)") && expected.ends_with("True)"),
            "{expected}"
        );
        assert_eq!(run(&mut copy, seen).await, expected, "{level}");
        let mut grandchild = fork(&mut copy, 1).await.remove(0);
        assert_eq!(run(&mut grandchild, seen).await, expected, "{level}");
    })
    .await;
}
