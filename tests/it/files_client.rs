//! The Rust client's way to the files of an episode.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use coding_env::client::{Content, Error, NewFile, Reason, ResetOptions, escape};
use coding_env::proto::v1::{FileErrorKind, FileKind};

use crate::support::Server;

/// What is beneath a folder: its bits, its time, and what is in it; of directories nothing.
fn described(folder: &Path) -> BTreeMap<PathBuf, Option<(u32, SystemTime, Vec<u8>)>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if meta.is_dir() {
                found.insert(name, None);
                pending.push(path);
            } else if meta.is_file() {
                let mode = meta.permissions().mode() & 0o777;
                let text = fs::read(&path).unwrap();
                found.insert(name, Some((mode, meta.modified().unwrap(), text)));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_whole_directories_go_up_and_down() {
    let server = Server::start(&[]);
    let mut env = server.env().await;
    assert_eq!(env.files().unwrap_err(), Error::NoEpisode);
    env.reset_with(ResetOptions::default()).await.unwrap();
    let files = env.files().unwrap();
    let tool = NewFile {
        mode: Some(0o755),
        ..NewFile::from("#!/bin/sh\necho ran\n")
    };
    let moved = files
        .write([
            ("a.txt", "hello".into()),
            ("bin/tool", tool),
            ("b[1].txt", "1".into()),
        ])
        .await
        .unwrap();
    assert_eq!((moved.files, moved.bytes), (3, 5 + 19 + 1));
    let reply = env
        .step("import subprocess\nsubprocess.check_output('bin/tool')")
        .await
        .unwrap();
    assert_eq!(reply.result(), Some("b'ran\\n'"));
    let read = files.read(&["*.txt", "bin/tool"]).await.unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!(read[Path::new("a.txt")], b"hello");
    assert_eq!(files.read(&[&escape("b[1].txt")]).await.unwrap().len(), 1);

    let dir = tempfile::tempdir().unwrap();
    let local = dir.path().join("local");
    fs::create_dir_all(local.join("deep/er")).unwrap();
    fs::create_dir(local.join("empty")).unwrap();
    fs::write(local.join("deep/er/x.bin"), vec![7; 700_000]).unwrap();
    for number in 0..30 {
        fs::write(local.join(format!("deep/{number}.txt")), number.to_string()).unwrap();
    }
    fs::set_permissions(local.join("deep/7.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("/etc/passwd", local.join("link")).unwrap();
    let mut seen = Vec::new();
    let moved = files
        .upload(&local, "in/put", |now| seen.push(now))
        .await
        .unwrap();
    let last = *seen.last().unwrap();
    assert_eq!((last.done, last.done), (moved, last.total));
    let back = dir.path().join("back");
    let moved = files
        .download("in/put", &back, |now| seen.push(now))
        .await
        .unwrap();
    assert_eq!(described(&back), described(&local));
    assert_eq!((seen.last().unwrap().done, moved.files), (moved, 31));
    files
        .download("a.txt", dir.path().join("one"), |_| {})
        .await
        .unwrap();
    assert_eq!(fs::read(dir.path().join("one")).unwrap(), b"hello");
    files
        .upload(dir.path().join("one"), "two/", |_| {})
        .await
        .unwrap();
    files
        .download("", dir.path().join("all"), |_| {})
        .await
        .unwrap();
    assert_eq!(described(&dir.path().join("all/in/put")), described(&local));
    assert!(dir.path().join("all/two/one").exists());

    let kinds: Vec<FileKind> = files
        .list(&["in", "a.txt"])
        .await
        .unwrap()
        .iter()
        .map(|info| info.kind())
        .collect();
    assert_eq!(kinds, [FileKind::Directory, FileKind::File]);
    assert!(files.delete(&["in"], true).await.unwrap() > 30);

    // What goes wrong.
    let error = files
        .write([("good", NewFile::from("x")), ("a.txt/bad", "x".into())])
        .await
        .unwrap_err();
    let Error::Files(failed) = &error else {
        panic!("{error}")
    };
    assert_eq!((failed.failed, failed.truncated), (1, false));
    let kind = failed.failures[0].error.as_ref().unwrap().kind();
    assert_eq!(kind, FileErrorKind::NotADirectory);
    assert!(error.to_string().contains("a.txt/bad"), "{error}");
    assert_eq!(files.read(&["good"]).await.unwrap().len(), 1);
    assert!(matches!(
        files.read(&["nothing"]).await,
        Err(Error::Files(_))
    ));
    let error = files.read(&["../x"]).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::InvalidField));
    let missing = NewFile::from(Content::Local(dir.path().join("never")));
    assert!(matches!(
        files.write([("x", missing)]).await,
        Err(Error::Local(_))
    ));
    assert!(matches!(
        files.upload(dir.path().join("never"), "", |_| {}).await,
        Err(Error::Local(_))
    ));
    env.step("import os; os._exit(1)").await.unwrap();
    let error = files.list(&[]).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeLost));
}
