//! A hostile workspace, and the server that has to work in it: catalogue 13 to 15 and 46 to 49. The program plants what it can, and moves things
//! about while files come and go.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use coding_env::client::{CodingEnv, Options, StepOptions};
use coding_env::proto::v1::{FileErrorKind, FileKind, Outcome};

use crate::support::Server;
use crate::support::files::{Files, appears, failures, file, glob, path};
use crate::support::hostile::shown;
use crate::support::places::each_place;

/// A directory of the host that everybody may change, with a file in it. The server sees it under this path, whether the program does or not.
struct Precious(tempfile::TempDir);

impl Precious {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        fs::set_permissions(dir.path().join("secret"), fs::Permissions::from_mode(0o666)).unwrap();
        Self(dir)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// What has become of it.
    fn harmed(&self) -> Option<String> {
        let names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        let text = fs::read_to_string(self.0.path().join("secret")).unwrap_or_default();
        (names != ["secret"] || text != "secret")
            .then(|| format!("the host's directory was changed: {names:?} {text:?}"))
    }
}

async fn episode(server: &Server) -> (CodingEnv, Files) {
    let channel = server.channel().await;
    let mut env = CodingEnv::with_channel(channel.clone(), Options::default());
    env.reset().await.unwrap();
    let files = Files::over(channel, env.episode_id());
    (env, files)
}

/// Runs what plants things. None when it could not.
async fn plant(env: &mut CodingEnv, code: &str) -> Option<String> {
    let mut options = StepOptions::default();
    options.timeout = Some(Duration::from_secs(120));
    let reply = env.step_with(code, options).await.unwrap();
    (reply.outcome() != Outcome::Completed).then(|| format!("not planted: {}", shown(&reply)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_link_leads_the_server_anywhere() {
    each_place(&[], async |_, server| {
        let precious = Precious::new();
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        let code = format!(
            "import os
dir = {:?}
os.symlink(dir, 'dir')
os.symlink(dir + '/secret', 'file')
os.symlink('..', 'up')
os.symlink('/proc/self/root', 'magic')
os.symlink('inner', 'within')
os.symlink('loop', 'loop')
os.mkdir('inner')
os.symlink(dir, 'inner/deep')
open('inner/own', 'w').write('own')",
            precious.path()
        );
        wrong.extend(plant(&mut env, &code).await);
        // Not read, as a file or as a directory on the way.
        let link = FileErrorKind::NotAFile;
        let way = FileErrorKind::NotADirectory;
        for (name, kind) in [
            ("dir", link),
            ("file", link),
            ("loop", link),
            ("up", link),
            ("dir/secret", way),
            ("inner/deep/secret", way),
            ("magic/etc/passwd", way),
            ("up/x", way),
            ("within/own", way),
            ("loop/x", way),
        ] {
            let read = files.read(vec![path(name)]).await.unwrap();
            let seen = failures(&read.summary.failures);
            if seen != [(name.to_owned(), kind)] || !read.files.is_empty() {
                wrong.push(format!("read {name}: {seen:?} {:?}", read.files));
            }
            let reply = files
                .write(vec![file(&format!("{name}/w"), "x")])
                .await
                .unwrap();
            let seen = failures(&reply.failures);
            if seen != [(format!("{name}/w"), way)] {
                wrong.push(format!("written to {name}/w: {seen:?}"));
            }
            let reply = files
                .delete(vec![path(&format!("{name}/secret"))], true)
                .await
                .unwrap();
            if reply.deleted != 0 {
                wrong.push(format!("deleted {name}/secret"));
            }
        }
        let read = files.read(vec![glob("**")]).await.unwrap();
        if read.files.keys().ne(["inner/own"]) {
            wrong.push(format!("a glob reads {:?}", read.files.keys()));
        }
        let (found, _) = files.list(vec![]).await.unwrap();
        let links = found
            .values()
            .filter(|info| info.kind() == FileKind::Link)
            .count();
        if links != 7 || found.len() != 9 {
            wrong.push(format!("the list: {:?}", found.keys()));
        }
        // A link that has a file's name is replaced, and what it leads to is left alone.
        let reply = files
            .write(vec![file("file", "mine"), file("inner/deep", "mine")])
            .await
            .unwrap();
        if reply.written != 2 {
            wrong.push(format!("links are replaced: {reply:?}"));
        }
        wrong.extend(precious.harmed());
        let reply = files.delete(vec![glob("**")], true).await.unwrap();
        if reply.deleted != 9 || reply.failed != 0 {
            wrong.push(format!("all is deleted: {reply:?}"));
        }
        wrong.extend(precious.harmed());
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_swaps_directories_for_links_gains_nothing() {
    each_place(&[], async |_, server| {
        let precious = Precious::new();
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        let code = format!(
            "import os
os.symlink({:?}, 'link')
os.mkdir('real')
open('real/secret', 'w').write('own')
os.rename('real', 'at')
open('ready', 'w').close()
rounds = 0
while not os.path.exists('stop'):
    try:
        os.rename('at', 'real'); os.rename('link', 'at')
        os.rename('at', 'link'); os.rename('real', 'at')
    except OSError:
        pass
    rounds += 1
print(rounds > 100)",
            precious.path()
        );
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_secs(120));
        let step = env.step_with(code, options);
        let moving = async {
            let mut wrong = Vec::new();
            appears(&mut files, "ready").await;
            for round in 0..80 {
                let chunks = vec![
                    file("at/new", "x"),
                    file("at/sub/new", "x"),
                    file("at/secret", "own"),
                ];
                files.write(chunks).await.unwrap();
                let read = files
                    .read(vec![path("at/secret"), glob("at/*"), glob("**/secret")])
                    .await
                    .unwrap();
                for (path, text) in &read.files {
                    // Of the same path twice in a row the texts are one after the other.
                    if String::from_utf8_lossy(text).contains("secret") {
                        wrong.push(format!("round {round}: {path} was read"));
                    }
                }
                files
                    .delete(vec![path("at/sub"), glob("at/*")], true)
                    .await
                    .unwrap();
            }
            files.write(vec![file("stop", "")]).await.unwrap();
            wrong
        };
        let (reply, found) = tokio::join!(step, moving);
        wrong.extend(found);
        let reply = reply.unwrap();
        if reply.outcome() != Outcome::Completed {
            wrong.push(shown(&reply));
        }
        wrong.extend(precious.harmed());
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_blocks_is_opened() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        // A writer waits at one FIFO: that somebody opens it would be felt there.
        let code = "import os, socket, threading
os.mkfifo('fifo'); os.mkfifo('quiet')
opened = []
def write():
    fd = os.open('fifo', os.O_WRONLY); opened.append(fd)
threading.Thread(target=write, daemon=True).start()
open('shut', 'w').write('x'); os.chmod('shut', 0)
os.mkdir('closed'); open('closed/x', 'w').close(); os.chmod('closed', 0)
open('plain', 'w').write('plain')";
        wrong.extend(plant(&mut env, code).await);
        let begun = Instant::now();
        let names = [
            "fifo", "quiet", "shut", "closed/x", "closed", "plain", "nothing",
        ];
        let read = files.read(names.map(path).to_vec()).await.unwrap();
        let expected = [
            ("closed", FileErrorKind::IsADirectory),
            ("closed/x", FileErrorKind::Permission),
            ("fifo", FileErrorKind::NotAFile),
            ("nothing", FileErrorKind::NotFound),
            ("quiet", FileErrorKind::NotAFile),
            ("shut", FileErrorKind::Permission),
        ]
        .map(|(path, kind)| (path.to_owned(), kind));
        if failures(&read.summary.failures) != expected || read.files.len() != 1 {
            wrong.push(format!(
                "read: {:?} {:?}",
                read.files.keys(),
                failures(&read.summary.failures)
            ));
        }
        let read = files.read(vec![glob("**")]).await.unwrap();
        if read.files.keys().ne(["plain"]) || read.summary.failed != 2 {
            wrong.push(format!(
                "a glob reads {:?} {:?}",
                read.files.keys(),
                read.summary
            ));
        }
        let mut asking = coding_env::proto::v1::ListFilesRequest {
            episode_id: files.episode.clone(),
            ..Default::default()
        };
        asking.sha256 = true;
        let mut replies = files.client.list_files(asking).await.unwrap().into_inner();
        let mut kinds = Vec::new();
        while let Some(reply) = replies.message().await.unwrap() {
            kinds.extend(
                reply
                    .files
                    .iter()
                    .map(|info| (info.path.clone(), info.kind(), info.sha256.len())),
            );
        }
        kinds.sort();
        let other = FileKind::Other;
        let expected = [
            ("closed", FileKind::Directory, 0),
            ("fifo", other, 0),
            ("plain", FileKind::File, 32),
            ("quiet", other, 0),
            ("shut", FileKind::File, 0),
        ]
        .map(|(path, kind, bytes)| (path.to_owned(), kind, bytes));
        if kinds != expected {
            wrong.push(format!("the list: {kinds:?}"));
        }
        let reply = env.step("print(opened)").await.unwrap();
        if reply.stdout() != "[]\n" {
            wrong.push(format!("a FIFO was opened: {}", shown(&reply)));
        }
        let reply = files
            .write(vec![file("quiet", "now a file"), file("closed/y", "y")])
            .await
            .unwrap();
        if reply.written != 1
            || failures(&reply.failures) != [("closed/y".to_owned(), FileErrorKind::Permission)]
        {
            wrong.push(format!("in the place of a FIFO: {reply:?}"));
        }
        if begun.elapsed() > Duration::from_secs(20) {
            wrong.push(format!("something blocked: {:?}", begun.elapsed()));
        }
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_size_is_believed() {
    let flags = [
        "--max-file-bytes",
        "9007199254740992",
        "--max-file-bytes-per-call",
        "8388608",
    ];
    each_place(&flags, async |_, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        // 1 PiB, or as much as the file system takes.
        let code = "import os
for bits in range(50, 30, -1):
    try:
        with open('sparse', 'wb') as f: f.truncate(1 << bits)
        break
    except OSError: pass
print(os.stat('sparse').st_size >= 1 << 40)
open('small', 'w').write('small')
open('growing', 'wb').write(b'x' * 1000)";
        let reply = env.step(code).await.unwrap();
        if reply.stdout() != "True\n" {
            wrong.push(format!("not planted: {}", shown(&reply)));
        }
        let read = files
            .read(vec![path("small"), path("sparse"), path("growing")])
            .await
            .unwrap();
        let seen = (read.summary.bytes, read.summary.truncated, read.files.len());
        if seen != (8 << 20, true, 2)
            || failures(&read.summary.failures) != [("sparse".to_owned(), FileErrorKind::TooLarge)]
        {
            wrong.push(format!(
                "sparse: {seen:?} {:?}",
                failures(&read.summary.failures)
            ));
        }
        let mut asking = files.asking(vec![path("sparse"), path("small")]);
        asking.max_file_bytes = Some(1 << 20);
        let read = files.read_with(asking).await.unwrap();
        if read.summary.bytes != (1 << 20) + 5 || read.summary.truncated {
            wrong.push(format!("with a bound of its own: {:?}", read.summary));
        }
        // One that grows and shrinks while it is read.
        let step = env.step(
            "import time
end = time.monotonic() + 2
open('ready', 'w').close()
with open('growing', 'r+b') as f:
    while time.monotonic() < end:
        f.truncate(100); f.seek(0); f.write(b'x' * 100_000); f.flush()",
        );
        let reading = async {
            appears(&mut files, "ready").await;
            let mut wrong = Vec::new();
            for _ in 0..100 {
                let read = files.read(vec![path("growing")]).await.unwrap();
                let text = &read.files["growing"];
                if read.summary.bytes != text.len() as u64 || text.len() > 100_000 {
                    wrong.push(format!("{:?} and {} bytes", read.summary, text.len()));
                }
            }
            wrong
        };
        let (reply, found) = tokio::join!(step, reading);
        wrong.extend(found);
        drop(reply.unwrap());
        wrong
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_and_deep_and_strange_names_are_bounded() {
    each_place(&["--max-workspace-inodes", "200000"], async |place, server| {
        let mut wrong = Vec::new();
        let (mut env, mut files) = episode(server).await;
        // Names in any bytes.
        let code = r"import os
names = [b'\xff\xfe', b'new\nline', b'*', b'[a]', b'-rf', b' ', b'.hidden', b'\\', b'n' * 255, bytes(range(1, 32)), 'é'.encode()]
for name in names:
    with open(name, 'wb') as f: f.write(name)
len(names)";
        wrong.extend(plant(&mut env, code).await);
        let read = files.read(vec![glob("*")]).await.unwrap();
        if read.files.len() != 11 || read.summary.failed != 0 {
            wrong.push(format!("strange names: {:?}", read.files.keys()));
        }
        for info in &read.infos {
            let name = if info.raw_path.is_empty() { info.path.as_bytes() } else { &info.raw_path };
            let text = &read.files[&String::from_utf8_lossy(name).into_owned()];
            if text != name {
                wrong.push(format!("{name:?} has {text:?}"));
            }
        }
        let literal = files.read(vec![path("*"), glob("\\*"), glob("\\[a\\]")]).await.unwrap();
        if literal.files.len() != 2 {
            wrong.push(format!("literally: {:?}", literal.files.keys()));
        }
        files.delete(vec![glob("*")], false).await.unwrap();

        // 1,000 deep.
        let code = "import os
top = os.getcwd()
for _ in range(1000):
    os.mkdir('d'); os.chdir('d')
open('bottom', 'w').close()
os.chdir(top)";
        wrong.extend(plant(&mut env, code).await);
        let (found, summary) = files.list(vec![]).await.unwrap();
        let kinds = failures(&summary.failures);
        if found.len() != 64 || !summary.truncated || kinds.len() != 1 || kinds[0].1 != FileErrorKind::TooDeep {
            wrong.push(format!("deep: {} {summary:?}", found.len()));
        }
        let (found, summary) = files.list(vec![glob("*/*")]).await.unwrap();
        if found.len() != 1 || summary.truncated {
            wrong.push(format!("the upper part of it: {found:?} {summary:?}"));
        }
        let reply = files.delete(vec![path("d")], true).await.unwrap();
        if (reply.deleted, reply.failed, reply.truncated) != (1001, 0, false) {
            wrong.push(format!("deep is deleted: {reply:?}"));
        }

        // 100,000 files, and one more. Fewer do where it is a user's server: that takes long enough.
        let count = if place.as_root { 100_000 } else { 3000 };
        let code = format!(
            "import os
os.mkdir('many')
for i in range({count}): os.close(os.open(f'many/{{i}}', os.O_CREAT | os.O_WRONLY))"
        );
        wrong.extend(plant(&mut env, &code).await);
        let (found, summary) = files.list(vec![glob("many/*")]).await.unwrap();
        if found.len() != count || summary.truncated {
            wrong.push(format!("many: {} {summary:?}", found.len()));
        }
        let (found, summary) = files.list(vec![]).await.unwrap();
        let all = (count + 1).min(100_000);
        if found.len() != all || summary.truncated != (all == count) {
            wrong.push(format!("one more: {} {summary:?}", found.len()));
        }
        let reply = files.delete(vec![path("many")], true).await.unwrap();
        if reply.truncated != (all == count) || reply.deleted as usize != all {
            wrong.push(format!("many are deleted: {reply:?}"));
        }
        let reply = files.delete(vec![path("many")], true).await.unwrap();
        if reply.truncated || reply.deleted as usize != count + 1 - all {
            wrong.push(format!("the rest is deleted: {reply:?}"));
        }
        wrong
    })
    .await;
}
