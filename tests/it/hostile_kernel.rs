//! Catalogue E: the surface of the kernel. What no program of an episode needs is refused before the kernel looks at it.
//!
//! Each call has arguments with which it would fail in another way, and do nothing, if it came through: EFAULT, EBADF and EINVAL are
//! failures of these tests. Case 93, caches and timing, is not promised.

use std::time::Duration;

use coding_env::client::StepOptions;
use coding_env::proto::v1::{Outcome, StateAfter};

use crate::support::Server;
use crate::support::hostile::{
    REFUSED, attempts, case, episode, maps_of, mark, marked, numbers, prints, run, shown,
};
use crate::support::places::each_place;

const ENOSYS: &str = "ENOSYS";
const DONE: &str = "done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_no_program_needs_are_refused() {
    let numbers = numbers![
        SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_bpf SYS_perf_event_open SYS_userfaultfd SYS_kcmp
        SYS_kexec_load SYS_init_module SYS_finit_module SYS_delete_module SYS_swapon SYS_swapoff SYS_reboot SYS_acct
        SYS_quotactl SYS_nfsservctl SYS_vhangup SYS_clone3 SYS_personality SYS_settimeofday SYS_clock_settime SYS_adjtimex
        SYS_clock_adjtime SYS_name_to_handle_at SYS_open_by_handle_at SYS_process_madvise SYS_move_pages SYS_migrate_pages
        SYS_pidfd_getfd SYS_process_mrelease SYS_vmsplice SYS_splice SYS_tee SYS_syslog SYS_ptrace SYS_process_vm_readv
        SYS_process_vm_writev SYS_add_key SYS_request_key SYS_keyctl SYS_setns SYS_unshare SYS_chroot SYS_pivot_root SYS_mount
        SYS_umount2 SYS_open_tree SYS_move_mount SYS_fsopen SYS_fsmount SYS_fsconfig SYS_fspick SYS_mount_setattr SYS_sethostname
        SYS_setdomainname SYS_setuid SYS_setgid SYS_setgroups SYS_setresuid SYS_setresgid SYS_setreuid SYS_setregid SYS_setfsuid
        SYS_capset SYS_inotify_init1 SYS_fanotify_init SYS_memfd_create SYS_memfd_secret
        SYS_landlock_restrict_self SYS_prctl SYS_ioctl SYS_fcntl SYS_clone SYS_semctl
    ];
    each_place(&[], async |_, server| {
        let mut cases = vec![
            attempts(
                "84 io_uring",
                &numbers,
                &[
                    ("setup", "syscall(SYS_io_uring_setup, 0, 0)", REFUSED),
                    ("enter", "syscall(SYS_io_uring_enter, -1, 0, 0, 0, 0, 0)", REFUSED),
                    ("register", "syscall(SYS_io_uring_register, -1, 0, 0, 0)", REFUSED),
                ],
            ),
            attempts(
                "85 calls of administrators and debuggers",
                &numbers,
                &[
                    ("bpf", "syscall(SYS_bpf, 99, 0, 0)", REFUSED),
                    ("perf_event_open", "syscall(SYS_perf_event_open, 0, 0, -1, -1, 0)", REFUSED),
                    ("userfaultfd", "syscall(SYS_userfaultfd, -1)", REFUSED),
                    ("kcmp", "syscall(SYS_kcmp, -1, -1, 99, 0, 0)", REFUSED),
                    ("kexec_load", "syscall(SYS_kexec_load, 0, 99, 0, -1)", REFUSED),
                    ("init_module", "syscall(SYS_init_module, 0, 0, 0)", REFUSED),
                    ("finit_module", "syscall(SYS_finit_module, -1, 0, 0)", REFUSED),
                    ("delete_module", "syscall(SYS_delete_module, 0, 0)", REFUSED),
                    ("swapon", "syscall(SYS_swapon, 0, 0)", REFUSED),
                    ("swapoff", "syscall(SYS_swapoff, 0)", REFUSED),
                    ("reboot", "syscall(SYS_reboot, 0, 0, 0, 0)", REFUSED),
                    ("acct", "syscall(SYS_acct, 1)", REFUSED),
                    ("quotactl", "syscall(SYS_quotactl, -1, 1, 0, 0)", REFUSED),
                    ("nfsservctl", "syscall(SYS_nfsservctl, 0, 0, 0)", REFUSED),
                    ("vhangup", "syscall(SYS_vhangup)", REFUSED),
                    ("syslog", "syscall(SYS_syslog, 99, 0, 0)", REFUSED),
                    ("sethostname", "syscall(SYS_sethostname, 0, -1)", REFUSED),
                    ("setdomainname", "syscall(SYS_setdomainname, 0, -1)", REFUSED),
                ],
            ),
            attempts(
                "86 clone3: its flags are behind a pointer",
                &numbers,
                &[("clone3", "syscall(SYS_clone3, 0, 0)", ENOSYS)],
            ),
            attempts(
                "88 personality",
                &numbers,
                &[
                    ("read", "syscall(SYS_personality, 0xffffffff)", DONE),
                    ("ADDR_NO_RANDOMIZE", "syscall(SYS_personality, 0x0040000)", REFUSED),
                    ("READ_IMPLIES_EXEC", "syscall(SYS_personality, 0x0400000)", REFUSED),
                    ("MMAP_PAGE_ZERO", "syscall(SYS_personality, 0x0100000)", REFUSED),
                ],
            ),
            attempts(
                "89 the clock",
                &numbers,
                &[
                    ("settimeofday", "syscall(SYS_settimeofday, 8, 0)", REFUSED),
                    ("clock_settime", "syscall(SYS_clock_settime, 99, 8)", REFUSED),
                    ("adjtimex", "syscall(SYS_adjtimex, 8)", REFUSED),
                    ("clock_adjtime", "syscall(SYS_clock_adjtime, 99, 8)", REFUSED),
                ],
            ),
            attempts(
                "90 files by handle",
                &numbers,
                &[
                    ("name_to_handle_at", "syscall(SYS_name_to_handle_at, -1, 8, 8, 8, 0)", REFUSED),
                    ("open_by_handle_at", "syscall(SYS_open_by_handle_at, -1, 8, 0)", REFUSED),
                ],
            ),
            attempts(
                "91 other processes' memory and descriptors",
                &numbers,
                &[
                    ("process_madvise", "syscall(SYS_process_madvise, -1, 0, 0, 0, 0)", REFUSED),
                    ("process_mrelease", "syscall(SYS_process_mrelease, -1, 0)", REFUSED),
                    ("move_pages", "syscall(SYS_move_pages, 0, 0, 0, 0, 0, -1)", REFUSED),
                    ("migrate_pages", "syscall(SYS_migrate_pages, 0, 0, 0, 0)", REFUSED),
                    ("pidfd_getfd", "syscall(SYS_pidfd_getfd, -1, 0, 0)", REFUSED),
                    ("process_vm_readv", "syscall(SYS_process_vm_readv, os.getpid(), 0, 0, 0, 0, 0)", REFUSED),
                    ("process_vm_writev", "syscall(SYS_process_vm_writev, os.getpid(), 0, 0, 0, 0, 0)", REFUSED),
                    ("ptrace(TRACEME)", "syscall(SYS_ptrace, 0, 0, 0, 0)", REFUSED),
                ],
            ),
            attempts(
                "92 vmsplice, splice, tee",
                &numbers,
                &[
                    ("vmsplice", "syscall(SYS_vmsplice, -1, 0, 0, 0)", REFUSED),
                    ("splice", "syscall(SYS_splice, -1, 0, -1, 0, 1, 0)", REFUSED),
                    ("tee", "syscall(SYS_tee, -1, -1, 1, 0)", REFUSED),
                ],
            ),
            attempts(
                "43 keyrings",
                &numbers,
                &[
                    ("add_key", "syscall(SYS_add_key, 0, 0, 0, 0, 0)", REFUSED),
                    ("request_key", "syscall(SYS_request_key, 0, 0, 0, 0)", REFUSED),
                    ("keyctl", "syscall(SYS_keyctl, 0, -3, 0)", REFUSED),
                ],
            ),
            attempts(
                "45 watching others' files",
                &numbers,
                &[
                    ("inotify_init1", "syscall(SYS_inotify_init1, -1)", REFUSED),
                    ("fanotify_init", "syscall(SYS_fanotify_init, -1, -1)", REFUSED),
                ],
            ),
            attempts(
                "52, 53 mounts and roots",
                &numbers,
                &[
                    ("mount", "syscall(SYS_mount, 0, 0, 0, 0, 0)", REFUSED),
                    ("umount2", "syscall(SYS_umount2, 0, 0)", REFUSED),
                    ("pivot_root", "syscall(SYS_pivot_root, 0, 0)", REFUSED),
                    ("chroot", "syscall(SYS_chroot, 0)", REFUSED),
                    ("open_tree", "syscall(SYS_open_tree, -1, 0, 0)", REFUSED),
                    ("move_mount", "syscall(SYS_move_mount, -1, 0, -1, 0, 0)", REFUSED),
                    ("fsopen", "syscall(SYS_fsopen, 0, 0)", REFUSED),
                    ("fsmount", "syscall(SYS_fsmount, -1, 0, 0)", REFUSED),
                    ("fsconfig", "syscall(SYS_fsconfig, -1, 0, 0, 0, 0)", REFUSED),
                    ("fspick", "syscall(SYS_fspick, -1, 0, 0)", REFUSED),
                    ("mount_setattr", "syscall(SYS_mount_setattr, -1, 0, 0, 0, 0)", REFUSED),
                    ("os.chroot", "os.chroot('.')", REFUSED),
                ],
            ),
            namespaces(&numbers),
            attempts(
                "51 other users and capabilities",
                &numbers,
                &[
                    ("setuid", "syscall(SYS_setuid, 0)", REFUSED),
                    ("setgid", "syscall(SYS_setgid, 0)", REFUSED),
                    ("setreuid", "syscall(SYS_setreuid, 0, 0)", REFUSED),
                    ("setregid", "syscall(SYS_setregid, 0, 0)", REFUSED),
                    ("setresuid", "syscall(SYS_setresuid, 0, 0, 0)", REFUSED),
                    ("setresgid", "syscall(SYS_setresgid, 0, 0, 0)", REFUSED),
                    ("setgroups", "syscall(SYS_setgroups, 0, 0)", REFUSED),
                    ("setfsuid", "syscall(SYS_setfsuid, 0)", REFUSED),
                    ("capset", "syscall(SYS_capset, 0, 0)", REFUSED),
                ],
            ),
            attempts(
                "37 everybody's priority",
                &numbers,
                &[
                    // No such user: ESRCH, and nothing done, where it comes through.
                    ("of a user", "os.setpriority(os.PRIO_USER, 4_000_000, 19)", REFUSED),
                    ("of a group", "os.setpriority(os.PRIO_PGRP, 4_000_000, 19)", REFUSED),
                ],
            ),
            attempts(
                "options of prctl that weaken or trace",
                &numbers,
                &[
                    ("SET_PDEATHSIG", "syscall(SYS_prctl, 1, 9)", REFUSED),
                    ("SET_DUMPABLE", "syscall(SYS_prctl, 4, 1)", REFUSED),
                    ("SET_SECCOMP", "syscall(SYS_prctl, 22, 2, 0)", REFUSED),
                    ("SET_SECUREBITS", "syscall(SYS_prctl, 28, 0)", REFUSED),
                    ("SET_MM", "syscall(SYS_prctl, 35, 1, 0)", REFUSED),
                    ("SET_CHILD_SUBREAPER, taken back", "syscall(SYS_prctl, 36, 0)", REFUSED),
                    ("SET_PTRACER", "syscall(SYS_prctl, 0x59616d61, -1)", REFUSED),
                    ("CAP_AMBIENT", "syscall(SYS_prctl, 47, 2, 0)", REFUSED),
                ],
            ),
            attempts(
                "55 commands to a terminal",
                &numbers,
                &[
                    ("TIOCSTI", "syscall(SYS_ioctl, 0, 0x5412, b'x')", REFUSED),
                    ("TIOCLINUX", "syscall(SYS_ioctl, 0, 0x541c, b'x')", REFUSED),
                    ("TIOCSTI with high bits", "syscall(SYS_ioctl, 0, 0x1_0000_5412, b'x')", REFUSED),
                    ("/dev/tty", "open('/dev/tty')", "ENXIO ENOENT EACCES EPERM"),
                ],
            ),
            attempts(
                "44 leases and notices on shared files",
                &format!("{numbers}\nfile = os.open(os.__file__, os.O_RDONLY)\nroot = os.open('/', os.O_PATH | os.O_DIRECTORY)"),
                &[
                    ("F_SETLEASE", "syscall(SYS_fcntl, file, 1024, 0)", REFUSED),
                    ("F_NOTIFY", "syscall(SYS_fcntl, file, 1026, 1)", REFUSED),
                ],
            ),
        ];
        #[cfg(target_arch = "x86_64")]
        cases.extend(other_abis());
        let mut wrong = run(server, cases).await;
        wrong.extend(seen_from_outside(server, &numbers).await.err());
        wrong
    })
    .await;
}

/// Every way into a new namespace, of every kind.
fn namespaces(numbers: &str) -> crate::support::hostile::Case {
    const KINDS: [(&str, u64); 8] = [
        ("USER", 0x1000_0000),
        ("NET", 0x4000_0000),
        ("NS", 0x0002_0000),
        ("PID", 0x2000_0000),
        ("IPC", 0x0800_0000),
        ("UTS", 0x0400_0000),
        ("CGROUP", 0x0200_0000),
        ("USER and NS", 0x1002_0000),
    ];
    let mut names = Vec::new();
    for (kind, flag) in KINDS {
        names.push((
            format!("clone {kind}"),
            format!("cloned(syscall(SYS_clone, {flag} | 17, 0, 0, 0, 0))"),
        ));
        names.push((
            format!("unshare {kind}"),
            format!("syscall(SYS_unshare, {flag})"),
        ));
        names.push((
            format!("unshare {kind}, high bits set"),
            format!("syscall(SYS_unshare, {flag} | 1 << 32)"),
        ));
        names.push((
            format!("setns {kind}"),
            format!("syscall(SYS_setns, -1, {flag})"),
        ));
    }
    // The calls of the setup pass a key in their sixth argument. It is not one of these.
    for key in [0, 1, -1, i64::MAX, i64::MIN] {
        names.push((
            format!("unshare with key {key}"),
            format!("syscall(SYS_unshare, 0x10000000, 0, 0, 0, 0, {key})"),
        ));
    }
    let all: Vec<_> = names
        .iter()
        .map(|(name, call)| (name.as_str(), call.as_str(), REFUSED))
        .collect();
    let setup = format!(
        "{numbers}\ndef cloned(pid):\n    if pid == 0: os._exit(0)\n    os.waitpid(pid, 0)"
    );
    attempts("54 namespaces of one's own", &setup, &all)
}

/// What /proc says of an episode's process, and whether the key of its setup can be found in its memory.
async fn seen_from_outside(server: &Server, numbers: &str) -> Result<(), String> {
    let mark = mark();
    let mut env = episode(&server.channel().await, &mark).await?;
    let [pid] = marked(&mark)[..] else {
        return Err(format!("{:?} instead of one process", marked(&mark)));
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(|error| format!("/proc/PID/status: {error}"))?;
    // Where copies get uids of their own: CAP_SETGID, CAP_SETUID and, for their roots, CAP_SYS_CHROOT, whose calls the filter keeps for the warden.
    let info = env
        .server_info()
        .await
        .map_err(|error| format!("{error:?}"))?;
    let capabilities = info
        .fork
        .filter(|fork| fork.available && fork.channel_private)
        .map_or("0000000000000000", |fork| match fork.same_paths {
            true => "00000000000400c0",
            false => "00000000000000c0",
        });
    let permitted = format!("CapPrm:\t{capabilities}");
    let effective = format!("CapEff:\t{capabilities}");
    for expected in [
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "CapInh:\t0000000000000000",
        &permitted,
        &effective,
        "CapAmb:\t0000000000000000",
    ] {
        if !status.lines().any(|line| line == expected) {
            return Err(format!("a worker's status has no {expected:?}:\n{status}"));
        }
    }
    // All of it is ASCII, which Rust quotes as Python does.
    let hunt = format!("{numbers}\nmaps = {:?}\n{KEY_HUNT}", maps_of(pid)?);
    let mut options = StepOptions::default();
    options.timeout = Some(Duration::from_secs(60));
    let reply = env.step_with(hunt, options).await;
    let reply = reply.map_err(|error| error.to_string())?;
    env.close().await.map_err(|error| error.to_string())?;
    prints("none\n")(&reply).map_err(|seen| format!("the key of the setup: {seen}"))
}

/// Tries every word in the process's own memory, but for those of files, as the key with which the setup makes its calls: a call that
/// does nothing (`unshare(0)`) succeeds with the right one. The places in memory are given: where to look is no secret.
const KEY_HUNT: &str = "
import array
deadline = time.monotonic() + 12
words = set()
for line in maps.splitlines():
    fields = line.split()
    place = fields[5] if len(fields) > 5 else ''
    if 'r' not in fields[1] or place.startswith('/') or place in ('[vvar]', '[vvar_vclock]', '[vsyscall]', '[vdso]'): continue
    first, last = (int(word, 16) for word in fields[0].split('-'))
    data = ctypes.string_at(first, last - first)
    for shift in range(8) if len(data) <= 1 << 16 else (0, 4):
        words.update(array.array('Q', data[shift:shift + (len(data) - shift) // 8 * 8]))
# Neither small, nor an address, nor text: what a random number may be.
likely = [w for w in words if w >> 48 and not all(32 <= b < 127 or b == 0 for b in w.to_bytes(8, 'little'))]
found, tried = [], 0
call, number, zero = libc.syscall, ctypes.c_long(SYS_unshare), ctypes.c_long(0)
for word in likely:
    tried += 1
    if call(number, zero, zero, zero, zero, zero, ctypes.c_ulong(word)) != -1: found.append(word)
    if tried % 1000 == 0 and time.monotonic() > deadline: break
print(hex(found[0]) if found else 'none')
";

/// Calls by the tables of other ABIs, which a filter by number alone would misread.
#[cfg(target_arch = "x86_64")]
fn other_abis() -> Vec<crate::support::hostile::Case> {
    // In a child, whose end says what came of it: 31 is SIGSYS, 11 is what a kernel without this ABI answers.
    let in_a_child = |body: &str| {
        format!(
            "import mmap
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    {body}
status = os.waitpid(pid, 0)[1]
print('came through' if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7 else 'refused')"
        )
    };
    let run_code = |machine: &str| {
        in_a_child(&format!(
            "page = mmap.mmap(-1, 4096, prot=7)
    page.write({machine})
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    os._exit(7 if function() > 0 else 0)"
        ))
    };
    let x32 = in_a_child(
        "try: syscall(0x40000000 | 39)
    except OSError: os._exit(0)
    os._exit(7)",
    );
    vec![
        // mov eax, 20 (getpid); int 0x80; ret
        case(
            "87 the i386 ABI by int 0x80",
            run_code(r"b'\xb8\x14\x00\x00\x00\xcd\x80\xc3'"),
            prints("refused\n"),
        ),
        case("87 the x32 ABI", x32, prints("refused\n")),
        case(
            "87 in the interpreter itself it is killed, and that is told",
            "import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()",
            |reply| {
                let ok = reply.outcome() == Outcome::Killed
                    && reply.state_after() == StateAfter::Lost
                    && [128 + 31, 128 + 11].contains(&reply.exit_code());
                ok.then_some(()).ok_or_else(|| shown(reply))
            },
        ),
    ]
}
