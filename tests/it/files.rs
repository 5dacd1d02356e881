//! The calls that move files: what a user sees of them, at every level and in every state of an episode.

use std::collections::BTreeMap;
use std::time::Duration;

use coding_env::client::{CodingEnv, Options};
use coding_env::proto::v1::{
    self, FileErrorKind, FileKind, Outcome, ResetFile, ResetRequest, StateAfter,
};
use tonic::Code;

use crate::support::files::{Files, appears, failures, fields, file, glob, path, reason, until};
use crate::support::hostile::shown;
use crate::support::places::each_place;
use crate::support::{Server, kill, worker_of};

/// An episode, and the calls for its files.
async fn episode(server: &Server) -> (CodingEnv, Files) {
    let channel = server.channel().await;
    let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
    env.reset().await.unwrap();
    let files = Files::over(channel, env.episode_id());
    (env, files)
}

/// What is wrong unless these are equal.
macro_rules! same {
    ($wrong:ident, $what:expr, $seen:expr, $expected:expr) => {
        let (seen, expected) = (&$seen, &$expected);
        if seen != expected {
            $wrong.push(format!("{}: {seen:?} and not {expected:?}", $what));
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_and_go_at_every_level() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        let mut tool = file("bin/tool", "#!/bin/sh\necho ran\n");
        let info = tool.file.as_mut().unwrap();
        info.mode = Some(0o755);
        info.modify_time = Some(prost_types::Timestamp {
            seconds: 1_000_000_000,
            nanos: 500,
        });
        let mut raw = file("", "raw");
        raw.file.as_mut().unwrap().raw_path = b"r\xff".to_vec();
        let mut directory = file("empty/dir", "");
        directory.file.as_mut().unwrap().kind = FileKind::Directory.into();
        let reply = files
            .write(vec![file("a.txt", "hello"), tool, raw, directory])
            .await
            .unwrap();
        same!(
            wrong,
            "what was written",
            (reply.written, reply.bytes, reply.failed, reply.failures.len()),
            (4, 5 + 19 + 3, 0, 0)
        );

        // The program finds them as they were sent, and may do with them what it does with its own.
        let code = "import os, subprocess
s = os.stat('bin/tool')
print(open('a.txt').read(), oct(s.st_mode & 0o7777), s.st_mtime_ns, s.st_uid == os.getuid(), os.path.isdir('empty/dir'))
print(open(b'r\\xff').read(), oct(os.stat('a.txt').st_mode & 0o777), oct(os.stat('bin').st_mode & 0o777))
open('a.txt', 'a').write(' world')
os.makedirs('out/deep')
open('out/1.csv', 'w').write('1')
open('out/2.csv', 'w').write('22')
open('out/deep/3.csv', 'w').write('333')
os.rename('empty', 'renamed')
os.chmod('bin', 0o700)
open('bin/other', 'w').close()
print(subprocess.run(['bin/tool'], capture_output=True, text=True).stdout)";
        let reply = env.step(code).await.unwrap();
        same!(
            wrong,
            "what the program sees",
            (reply.stdout(), reply.stderr()),
            (
                "hello 0o755 1000000000000000500 True True\nraw 0o644 0o755\nran\n\n",
                ""
            )
        );

        let read = files
            .read(vec![path("a.txt"), glob("out/*.csv"), glob("**/3.csv")])
            .await
            .unwrap();
        let expected: BTreeMap<String, Vec<u8>> = [
            ("a.txt", "hello world"),
            ("out/1.csv", "1"),
            ("out/2.csv", "22"),
            ("out/deep/3.csv", "333"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect();
        same!(wrong, "what is read", read.files, expected);
        let summary = (read.summary.files, read.summary.bytes, read.summary.truncated);
        same!(wrong, "the summary", summary, (4, 17, false));

        let (found, _) = files.list(vec![]).await.unwrap();
        let kinds: Vec<(&str, FileKind)> = found
            .iter()
            .map(|(path, info)| (path.as_str(), info.kind()))
            .collect();
        let (f, d) = (FileKind::File, FileKind::Directory);
        let expected = [
            ("a.txt", f),
            ("bin", d),
            ("bin/other", f),
            ("bin/tool", f),
            ("out", d),
            ("out/1.csv", f),
            ("out/2.csv", f),
            ("out/deep", d),
            ("out/deep/3.csv", f),
            ("renamed", d),
            ("renamed/dir", d),
            ("r\u{fffd}", f),
        ];
        same!(wrong, "the list", kinds, expected);
        let tool = &found["bin/tool"];
        let time = tool.modify_time.unwrap();
        same!(
            wrong,
            "what is known of a file",
            (tool.mode(), tool.size(), time.seconds, time.nanos),
            (0o755, 19, 1_000_000_000, 500)
        );

        // In the place of what is there, which keeps its mode.
        env.step("import os; os.chmod('a.txt', 0o600); f = open('a.txt')").await.unwrap();
        files.write(vec![file("a.txt", "new")]).await.unwrap();
        let reply = env
            .step("print(f.read(), open('a.txt').read(), oct(os.stat('a.txt').st_mode & 0o777))")
            .await
            .unwrap();
        same!(wrong, "what was replaced", reply.stdout(), "hello world new 0o600\n");

        let reply = files
            .delete(vec![path("a.txt"), path("not there"), path("out"), glob("*")], false)
            .await
            .unwrap();
        same!(
            wrong,
            "what can't be deleted",
            failures(&reply.failures),
            ["bin", "out", "out", "renamed"].map(|path| (path.to_owned(), FileErrorKind::NotEmpty))
        );
        let reply = files.delete(vec![glob("**")], true).await.unwrap();
        same!(wrong, "failures", failures(&reply.failures), []);
        let reply = env.step("print(os.listdir())").await.unwrap();
        same!(wrong, "what is left", reply.stdout(), "[]\n");
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_move_while_a_step_runs_and_while_an_episode_is_frozen() {
    each_place(&["--background-cpu-time", "100ms"], async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        let step = env.step(
            "import os, time
open('ready', 'w').close()
while not os.path.exists('go'): time.sleep(0.002)
print(open('go').read())",
        );
        let moving = async {
            appears(&mut files, "ready").await;
            files.write(vec![file("go", "went")]).await.unwrap();
        };
        let (reply, ()) = tokio::join!(step, moving);
        let reply = reply.unwrap();
        if reply.stdout() != "went\n" {
            wrong.push(format!("a step that waits for a file: {}", shown(&reply)));
        }

        env.step(
            "import threading
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()",
        )
        .await
        .unwrap();
        until("it is frozen", async || {
            let state = env.state().await.unwrap();
            state.status() == v1::EpisodeStatus::Frozen
        })
        .await;
        files.write(vec![file("cold", "x")]).await.unwrap();
        same!(
            wrong,
            "a frozen episode's file",
            files.read(vec![path("cold")]).await.unwrap().files["cold"],
            b"x"
        );
        let status = env.state().await.unwrap().status();
        same!(wrong, "its state", status, v1::EpisodeStatus::Frozen);
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_with_their_interpreter() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        env.step("open('a', 'w').close()").await.unwrap();
        let reply = env.step("import os; os._exit(3)").await.unwrap();
        same!(wrong, "the state", reply.state_after(), StateAfter::Lost);
        for (what, status) in [
            ("read", files.read(vec![path("a")]).await.err()),
            ("list", files.list(vec![]).await.err()),
            ("write", files.write(vec![file("b", "b")]).await.err()),
            ("delete", files.delete(vec![path("a")], false).await.err()),
        ] {
            let reason = status.as_ref().map(reason).unwrap_or_default();
            same!(wrong, what, reason, "EPISODE_LOST");
        }
        env.close().await.unwrap();
        let status = files.list(vec![]).await.unwrap_err();
        same!(wrong, "closed", reason(&status), "EPISODE_CLOSED");
        files.episode = "never".to_owned();
        let status = files.write(vec![]).await.unwrap_err();
        same!(wrong, "unknown", reason(&status), "EPISODE_NOT_FOUND");

        // One that is killed between steps, by something else.
        let (mut env, mut files) = episode(server).await;
        kill(worker_of(server, &mut env).await, "KILL");
        until("it is lost", async || files.list(vec![]).await.is_err()).await;
        let status = files.list(vec![]).await.unwrap_err();
        same!(wrong, "killed", reason(&status), "EPISODE_LOST");
        wrong
    })
    .await;
}

/// A WriteFiles that sends what the test gives, when it gives it.
struct Open {
    sender: tokio::sync::mpsc::Sender<v1::WriteFilesRequest>,
    reply: tokio::task::JoinHandle<Result<v1::WriteFilesResponse, tonic::Status>>,
}

fn open(files: &Files) -> Open {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let mut client = files.client.clone();
    let reply = tokio::spawn(async move {
        let messages = tokio_stream::wrappers::ReceiverStream::new(receiver);
        client
            .write_files(messages)
            .await
            .map(tonic::Response::into_inner)
    });
    Open { sender, reply }
}

/// A chunk that begins a file and does not end it.
fn beginning(path: &str, data: &str) -> v1::FileChunk {
    let mut chunk = file(path, data);
    chunk.end = None;
    chunk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_is_ever_half_written() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        files.write(vec![file("old", "as it was")]).await.unwrap();
        // The client goes away in the middle of a file.
        let stream = open(&files);
        let chunks = vec![file("whole", "whole"), beginning("old", "half"), ];
        stream.sender.send(files.message(chunks)).await.unwrap();
        appears(&mut files, "whole").await;
        stream.reply.abort();
        drop(stream.reply.await);
        // It ends without the end of its file, gives a file up, tells another size or another hash.
        let reply = files.write(vec![beginning("old", "half")]).await.unwrap();
        same!(
            wrong,
            "no end",
            failures(&reply.failures),
            [("old".to_owned(), FileErrorKind::Incomplete)]
        );
        let mut given_up = file("old", "half");
        given_up.end.as_mut().unwrap().error = Some(v1::FileError::default());
        let mut short = file("old", "half");
        short.file.as_mut().unwrap().size = Some(5);
        let right = file("right", "right");
        let reply = files.write(vec![given_up, short, right]).await.unwrap();
        same!(wrong, "what is right all the same", reply.written, 1);
        same!(
            wrong,
            "given up, and too short",
            failures(&reply.failures),
            [FileErrorKind::Mismatch, FileErrorKind::Incomplete].map(|kind| ("old".to_owned(), kind))
        );
        let mut hashed = file("old", "abc");
        hashed.end.as_mut().unwrap().sha256 = vec![7; 32];
        let mut message = files.message(vec![hashed.clone(), file("unhashed", "x")]);
        message.sha256 = true;
        let reply = files.send(vec![message.clone()]).await.unwrap();
        same!(
            wrong,
            "another hash, and none",
            failures(&reply.failures),
            ["old", "unhashed"].map(|path| (path.to_owned(), FileErrorKind::Mismatch))
        );
        let reply = env
            .step("import os\nprint(open('old').read(), sorted(os.listdir()))")
            .await
            .unwrap();
        same!(wrong, "what is there", reply.stdout(), "as it was ['old', 'right', 'whole']\n");
        // With the right one.
        let abc = b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
        message.chunks.truncate(1);
        message.chunks[0].end.as_mut().unwrap().sha256 = abc.to_vec();
        let reply = files.send(vec![message]).await.unwrap();
        same!(wrong, "the right hash", reply.written, 1);
        let mut asking = files.asking(vec![path("old")]);
        asking.sha256 = true;
        let read = files.read_with(asking).await.unwrap();
        same!(wrong, "the hash of what is read", read.ends[0].sha256, abc);
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_workspace_is_told_file_by_file() {
    each_place(&[], async |place, server| {
        let mut wrong = Vec::new();
        let channel = server.channel().await;
        let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
        let mut options = coding_env::client::ResetOptions::default();
        let namespace = place.level == crate::support::places::Level::Namespace;
        options.limits = Some(v1::Limits {
            file_bytes: Some(2 << 20),
            workspace_bytes: namespace.then_some(4 << 20),
            workspace_inodes: namespace.then_some(64),
            ..v1::Limits::default()
        });
        env.reset_with(options).await.unwrap();
        let mut files = Files::over(channel, env.episode_id());
        let large = |name: &str, mib: usize| {
            let mut chunks = vec![beginning(name, "")];
            for _ in 0..mib {
                let mut more = file("", vec![b'x'; 1 << 20]);
                more.file = None;
                more.end = None;
                chunks.push(more);
            }
            chunks.last_mut().unwrap().end = Some(v1::FileEnd::default());
            chunks
        };
        // At the bound, and one byte past it.
        let mut past = large("past", 2);
        past.last_mut().unwrap().end = None;
        let mut more = file("", "x");
        more.file = None;
        past.push(more);
        let messages = [large("at", 2), past, vec![file("after", "x")]]
            .concat()
            .into_iter()
            .map(|chunk| files.message(vec![chunk]))
            .collect();
        let reply = files.send(messages).await.unwrap();
        same!(
            wrong,
            "written",
            (reply.written, reply.bytes),
            (2, (2 << 20) + 1)
        );
        same!(
            wrong,
            "past the bound of a file",
            failures(&reply.failures),
            [("past".to_owned(), FileErrorKind::TooLarge)]
        );
        if namespace {
            let messages = [large("b", 2), large("c", 2), vec![file("d", "")]].concat();
            let messages = messages.into_iter().map(|chunk| files.message(vec![chunk]));
            let reply = files.send(messages.collect()).await.unwrap();
            let full: Vec<_> = failures(&reply.failures);
            let expected = ["b", "c"].map(|path| (path.to_owned(), FileErrorKind::NoSpace));
            same!(wrong, "past the bound of all", full, expected);
            files.delete(vec![glob("**")], true).await.unwrap();
            let many = (0..100).map(|at| file(&format!("f{at}"), "")).collect();
            let reply = files.write(many).await.unwrap();
            same!(
                wrong,
                "as many as may be",
                (reply.written, reply.failed),
                (64, 36)
            );
            let kinds = failures(&reply.failures);
            if kinds
                .iter()
                .any(|(_, kind)| *kind != FileErrorKind::NoSpace)
            {
                wrong.push(format!("past the bound of inodes: {kinds:?}"));
            }
        }
        let reply = env.step("1 + 1").await.unwrap();
        same!(wrong, "the next step", reply.outcome(), Outcome::Completed);
        wrong
    })
    .await;
}

fn seed(path: &str, data: impl Into<Vec<u8>>) -> ResetFile {
    ResetFile {
        path: path.to_owned(),
        data: data.into(),
        ..ResetFile::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_episode_starts_with_its_files() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let channel = server.channel().await;
        let mut env = CodingEnv::with_channel(channel, Options::default());
        let mut options = coding_env::client::ResetOptions::default();
        let mut tool = seed("bin/tool", "#!/bin/sh\necho ran\n");
        tool.mode = Some(0o700);
        let mut raw = seed("", "raw");
        raw.raw_path = b"r\xff".to_vec();
        options.files = vec![seed("data/a.txt", "hello"), tool, raw];
        env.reset_with(options).await.unwrap();
        let reply = env
            .step(
                "import subprocess
print(open('data/a.txt').read(), open(b'r\\xff').read(), subprocess.run(['bin/tool'], capture_output=True, text=True).stdout)
open('data/a.txt', 'a').write('!')",
            )
            .await
            .unwrap();
        same!(
            wrong,
            "what the program sees",
            (reply.stdout(), reply.stderr()),
            ("hello raw ran\n\n", "")
        );
        // The next one has none of it.
        env.reset().await.unwrap();
        let reply = env.step("import os; os.listdir()").await.unwrap();
        same!(wrong, "the next episode's", reply.result(), Some("[]"));
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reset_may_bring_is_bounded() {
    let server = Server::start(&[]);
    let mut client = server.raw().await;
    let mut reset = async |files: Vec<ResetFile>, limits: Option<v1::Limits>| {
        let request = ResetRequest {
            files,
            limits,
            ..ResetRequest::default()
        };
        client.reset(request).await
    };
    let info = server.env().await.server_info().await.unwrap();
    let limits = info.server_limits.unwrap().files.unwrap();
    let many = |count: u32| (0..count).map(|at| seed(&format!("f{at}"), "x")).collect();
    reset(many(limits.reset_files), None).await.unwrap();
    let status = reset(many(limits.reset_files + 1), None).await.unwrap_err();
    assert_eq!(fields(&status), ["files"]);
    let large = |bytes: u32| vec![seed("large", vec![b'x'; bytes as usize])];
    reset(large(limits.reset_bytes), None).await.unwrap();
    let status = reset(large(limits.reset_bytes + 1), None)
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["files"]);

    let mut both = seed("a", "");
    both.raw_path = b"b".to_vec();
    let mut mode = seed("m", "");
    mode.mode = Some(0o1000);
    let mut time = seed("t", "");
    time.modify_time = Some(prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: -1,
    });
    let status = reset(
        vec![
            seed("/workspace/a", ""),
            seed("../a", ""),
            seed("", ""),
            both,
            mode,
            time,
        ],
        None,
    )
    .await
    .unwrap_err();
    let expected = [
        "files[0].path",
        "files[1].path",
        "files[2].path",
        "files[3].raw_path",
        "files[4].mode",
        "files[5].modify_time",
    ];
    assert_eq!(fields(&status), expected);
    let status = reset(vec![seed("a", ""), seed("a", ""), seed("a/b", "")], None)
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["files[1].path", "files[2].path"]);

    // What its limits have no room for is told, and there is no episode.
    if info.max_limits.unwrap().workspace_inodes.is_none() {
        return;
    }
    let limits = v1::Limits {
        workspace_inodes: Some(64),
        ..v1::Limits::default()
    };
    let status = reset(many(65), Some(limits)).await.unwrap_err();
    assert_eq!(reason(&status), "FILES_REFUSED");
    assert_eq!(status.code(), Code::FailedPrecondition);
    reset(many(64), Some(limits)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_bounded_and_its_bounds_are_told() {
    let server = Server::start(&[
        "--max-files-per-call",
        "4",
        "--max-file-bytes-per-call",
        "2097152",
    ]);
    let (mut env, mut files) = episode(&server).await;
    let info = env.server_info().await.unwrap();
    let limits = info.server_limits.unwrap().files.unwrap();
    assert_eq!((limits.files_per_call, limits.bytes_per_call), (4, 2 << 20));
    let chunk_bytes = limits.chunk_bytes as usize;

    let four = || ["a", "b", "c", "d"].map(|path| file(path, path)).to_vec();
    assert_eq!(files.write(four()).await.unwrap().written, 4);
    let status = files
        .write([four(), vec![file("e", "e")]].concat())
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["chunks.file"]);
    assert!(status.message().contains('4'), "{status:?}");
    let (found, summary) = files.list(vec![]).await.unwrap();
    assert_eq!((found.len(), summary.truncated), (4, false));
    assert_eq!(files.read(vec![glob("*")]).await.unwrap().files.len(), 4);
    env.step("open('e', 'w').close()").await.unwrap();
    let (found, summary) = files.list(vec![]).await.unwrap();
    assert_eq!((found.len(), summary.truncated), (4, true));
    let read = files.read(vec![glob("*")]).await.unwrap();
    assert_eq!((read.files.len(), read.summary.truncated), (4, true));
    let reply = files.delete(vec![glob("*")], false).await.unwrap();
    assert_eq!((reply.deleted, reply.truncated), (4, true));
    let reply = files.delete(vec![glob("*")], false).await.unwrap();
    assert_eq!((reply.deleted, reply.truncated), (1, false));

    // Bytes.
    let large = |name: &str| file(name, vec![b'x'; chunk_bytes]);
    let messages = ["a", "b"].map(|name| files.message(vec![large(name)]));
    assert_eq!(files.send(messages.to_vec()).await.unwrap().written, 2);
    let more = files.message(vec![file("c", "c")]);
    let status = files
        .send([messages.to_vec(), vec![more]].concat())
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["chunks.data"]);
    let read = files.read(vec![glob("*")]).await.unwrap();
    assert_eq!((read.summary.files, read.summary.truncated), (2, false));
    env.step("open('c', 'w').write('c')").await.unwrap();
    let read = files
        .read(vec![path("a"), path("c"), path("b")])
        .await
        .unwrap();
    assert_eq!((read.summary.files, read.summary.truncated), (2, true));
    assert_eq!(
        failures(&read.summary.failures),
        [("b".to_owned(), FileErrorKind::TooLarge)]
    );
    assert_eq!(read.summary.bytes, 2 << 20);
    let mut asking = files.asking(vec![path("a")]);
    for (max, whole) in [(1 << 20, true), ((1 << 20) - 1, false)] {
        asking.max_file_bytes = Some(max);
        let read = files.read_with(asking.clone()).await.unwrap();
        assert_eq!(read.files["a"].len() as u64, max.min(1 << 20));
        assert_eq!(read.ends[0].error.is_none(), whole);
        assert!(!read.summary.truncated);
    }
    let status = files
        .write(vec![file("a", vec![0; chunk_bytes + 1])])
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["chunks.data"]);

    let selectors = |count: u32| (0..count).map(|_| path("a")).collect::<Vec<_>>();
    files
        .delete(selectors(limits.selectors), false)
        .await
        .unwrap();
    let status = files
        .delete(selectors(limits.selectors + 1), false)
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["files"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_name_their_fields() {
    let server = Server::start(&[]);
    let (_env, mut files) = episode(&server).await;
    let selectors = vec![
        path("/etc/passwd"),
        path("a/../b"),
        glob("["),
        glob("../*"),
        v1::FileSelector { selector: None },
        path("a\0b"),
        path(&"n".repeat(256)),
        path(&["d"; 65].join("/")),
    ];
    let expected = [
        "files[0].path",
        "files[1].path",
        "files[2].glob",
        "files[3].glob",
        "files[4].selector",
        "files[5].path",
        "files[6].path",
        "files[7].path",
    ];
    for status in [
        files.read(selectors.clone()).await.unwrap_err(),
        files.list(selectors.clone()).await.unwrap_err(),
        files.delete(selectors, true).await.unwrap_err(),
    ] {
        assert_eq!(fields(&status), expected);
    }
    for status in [
        files.read(vec![]).await.unwrap_err(),
        files.delete(vec![], true).await.unwrap_err(),
    ] {
        assert_eq!(fields(&status), ["files"]);
    }
    // At the bounds.
    files
        .read(vec![path(&"n".repeat(255)), path(&["d"; 64].join("/"))])
        .await
        .unwrap();

    let mut kind = file("k", "");
    kind.file.as_mut().unwrap().kind = FileKind::Link.into();
    let mut mode = file("m", "");
    mode.file.as_mut().unwrap().mode = Some(0o1000);
    let status = files
        .write(vec![file("/a", ""), kind, mode])
        .await
        .unwrap_err();
    assert_eq!(
        fields(&status),
        ["chunks.file.path", "chunks.file.kind", "chunks.file.mode"]
    );
    let mut data = file("", "data");
    data.file = None;
    let mut directory = file("d", "data");
    directory.file.as_mut().unwrap().kind = FileKind::Directory.into();
    for (chunks, field) in [
        (vec![data], "chunks.data"),
        (vec![beginning("a", ""), file("b", "")], "chunks.file"),
        (vec![directory], "chunks.data"),
    ] {
        let status = files.write(chunks).await.unwrap_err();
        assert_eq!(fields(&status), [field]);
    }
    let other = v1::WriteFilesRequest {
        episode_id: "other".to_owned(),
        ..v1::WriteFilesRequest::default()
    };
    let status = files
        .send(vec![files.message(vec![]), other])
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["episode_id"]);
    let status = files.send(vec![]).await.unwrap_err();
    assert_eq!(fields(&status), ["episode_id"]);

    // Another server's.
    let mut request = tonic::Request::new(files.asking(vec![glob("*")]));
    request
        .metadata_mut()
        .insert("x-coding-env-server", "other".parse().unwrap());
    let status = files.client.read_files(request).await.unwrap_err();
    assert_eq!(reason(&status), "EPISODE_SERVER_GONE");
    let reply = files
        .client
        .read_files(files.asking(vec![glob("*")]))
        .await
        .unwrap();
    assert_eq!(reply.metadata().get("x-coding-env-server").unwrap(), "test");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_for_their_turn_and_do_not_stall_for_ever() {
    let mut server = Server::start(&[
        "--max-file-calls",
        "1",
        "--max-waiting-file-calls",
        "1",
        "--file-stall-timeout",
        "2s",
    ]);
    let (mut env, mut files) = episode(&server).await;
    env.step("open('large', 'wb').write(bytes(64 << 20))")
        .await
        .unwrap();

    // The one that has the turn sends a little now and then; of two that come meanwhile one waits for it, the other has no place to wait.
    let holder = open(&files);
    let chunks = vec![file("first", "x"), beginning("held", "x")];
    holder.sender.send(files.message(chunks)).await.unwrap();
    let reply = env
        .step("import os, time\nwhile not os.path.exists('first'): time.sleep(0.001)")
        .await
        .unwrap();
    assert_eq!(reply.outcome(), Outcome::Completed);
    let ask = || {
        let mut files = files.clone();
        tokio::spawn(async move { files.list(vec![path("first")]).await })
    };
    let (mut one, mut other) = (ask(), ask());
    let more = v1::FileChunk {
        data: "x".into(),
        ..v1::FileChunk::default()
    };
    let (refused, waiting) = loop {
        tokio::select! {
            refused = &mut one => break (refused, other),
            refused = &mut other => break (refused, one),
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                holder.sender.send(files.message(vec![more.clone()])).await.unwrap();
            }
        }
    };
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(reason(&refused), "FILES_LIMIT");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    // Then it sends nothing more.
    let stalled = holder.reply.await.unwrap().unwrap_err();
    assert_eq!(reason(&stalled), "FILES_STALLED");
    assert_eq!(stalled.code(), Code::Aborted);
    let (found, _) = waiting.await.unwrap().unwrap();
    assert_eq!(found.len(), 1);
    drop(holder.sender);

    // One who reads and takes nothing.
    let mut taking = files
        .client
        .read_files(files.asking(vec![path("large")]))
        .await
        .unwrap()
        .into_inner();
    let (found, _) = files.list(vec![glob("*")]).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["first", "large"]);
    let stalled = loop {
        match taking.message().await {
            Ok(Some(reply)) => assert!(reply.summary.is_none(), "it was read to its end"),
            Ok(None) => panic!("a stream without a summary"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&stalled), "FILES_STALLED");
    // A call's own deadline.
    let mut request = tonic::Request::new(files.asking(vec![path("large")]));
    request.set_timeout(Duration::from_millis(200));
    let mut taking = files.client.read_files(request).await.unwrap().into_inner();
    files.list(vec![path("large")]).await.unwrap();
    let late = loop {
        match taking.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a stream without a summary"),
            Err(status) => break status,
        }
    };
    assert!(
        reason(&late) == "DEADLINE"
            || late.code() == Code::DeadlineExceeded
            || late.code() == Code::Cancelled,
        "{late:?}"
    );
    server.expect_log("never logged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_files_keeps_an_episode_and_its_end_ends_the_call() {
    let server = Server::start(&[]);
    let channel = server.channel().await;
    let idle = async || {
        let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
        let mut options = coding_env::client::ResetOptions::default();
        options.limits = Some(v1::Limits {
            idle_timeout: Some(prost_types::Duration {
                seconds: 1,
                nanos: 0,
            }),
            ..v1::Limits::default()
        });
        env.reset_with(options).await.unwrap();
        env
    };
    let mut busy = idle().await;
    let mut files = Files::over(channel.clone(), busy.episode_id());
    let holder = open(&files);
    let chunks = vec![file("first", "x"), beginning("held", "x")];
    holder.sender.send(files.message(chunks)).await.unwrap();
    appears(&mut files, "first").await;
    assert!(busy.state().await.unwrap().expire_time.is_none());
    // One that was made later and does nothing expires before.
    let other = idle().await;
    until("it expires", async || other.state().await.is_err()).await;
    busy.state().await.unwrap();
    busy.close().await.unwrap();
    let status = holder.reply.await.unwrap().unwrap_err();
    assert_eq!(reason(&status), "EPISODE_ENDED");
    assert_eq!(status.code(), Code::Aborted);
}
