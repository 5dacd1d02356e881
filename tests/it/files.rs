//! The calls that move files: what a user sees of them, at every level and in every state of an episode.

use std::collections::BTreeMap;
use std::time::Duration;

use coding_env::client::{CodingEnv, Options};
use coding_env::proto::v1::{
    self, FileErrorKind, FileKind, Outcome, ResetFile, ResetRequest, StateAfter,
};
use tonic::Code;

use crate::support::files::{Files, failures, fields, file, glob, path, reason};
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
