//! What a step shows beside its text: plots, tables and the like, within their bounds, whatever a program does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use coding_env::client::{CodingEnv, ResetOptions, StepOptions};
use coding_env::proto::v1::{
    CodeAction, Display, Limits, Outcome, StateAfter, StepRequest, StepResponse,
};
use prost::Message as _;

use crate::support::places::each_place;
use crate::support::{Server, lacks, pythons};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Something that shows itself in every way, and something of a size that can be chosen.
const SHOWN: &str = r###"
class Everything:
    def __repr__(self): return "everything"
    def _repr_html_(self): return "<b>bold</b>"
    def _repr_svg_(self): return "<svg/>"
    def _repr_png_(self): return b"\x89PNG"
    def _repr_jpeg_(self): return b"\xff\xd8"
    def _repr_latex_(self): return "$x$", {"a": "remark"}
    def _repr_markdown_(self): return "## head"
    def _repr_json_(self): return {"key": [1, None]}
class Large:
    def __init__(self, size): self.size = size
    def __repr__(self): return "large"
    def _repr_html_(self): return "x" * self.size
"###;

async fn env_with(server: &Server, limits: Limits) -> CodingEnv {
    let mut env = server.env().await;
    let mut options = ResetOptions::default();
    options.limits = Some(limits);
    env.reset_with(options).await.unwrap();
    env.step(SHOWN).await.unwrap();
    env
}

/// Runs code that is to come to its end without a word on standard error.
async fn run(env: &mut CodingEnv, code: &str) -> StepResponse {
    let reply = env.step(code).await.unwrap();
    assert_eq!(
        reply.outcome(),
        Outcome::Completed,
        "{code}: {}",
        reply.stderr()
    );
    assert_eq!(reply.stderr(), "", "{code}");
    reply
}

/// A display in short: its media types and bytes.
fn ways(display: &Display) -> Vec<(&str, &[u8])> {
    let ways = display.representations.iter();
    ways.map(|one| (one.mime_type.as_str(), one.data.as_slice()))
        .collect()
}

fn texts(reply: &StepResponse) -> Vec<String> {
    let text = |display: &Display| {
        let text = display.data("text/plain").unwrap_or_default();
        String::from_utf8(text.to_vec()).unwrap()
    };
    reply.displays().iter().map(text).collect()
}

/// The interpreters to test with, without isolation and at the level that servers choose by themselves.
fn servers() -> impl Iterator<Item = Server> {
    pythons().into_iter().flat_map(|python| servers_of(&python))
}

fn servers_of(python: &Path) -> [Server; 2] {
    let python = python.to_str().unwrap();
    [vec!["--isolation", "none"], vec![]].map(|flags| {
        let flags = [flags.as_slice(), &["--python", python]].concat();
        Server::start(&flags)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_show_themselves_as_in_a_notebook() {
    let all: &[(&str, &[u8])] = &[
        ("text/html", b"<b>bold</b>"),
        ("image/svg+xml", b"<svg/>"),
        ("image/png", b"\x89PNG"),
        ("text/latex", b"$x$"),
        ("text/markdown", b"## head"),
        ("application/json", b"{\"key\": [1, null]}"),
    ];
    for server in servers() {
        let mut env = env_with(&server, Limits::default()).await;
        // The last expression: its repr is the result.
        let reply = run(&mut env, "Everything()").await;
        assert_eq!(reply.result(), Some("everything"));
        let [display] = reply.displays() else {
            panic!("{reply:?}")
        };
        assert!(display.is_result);
        assert_eq!(ways(display), all);
        // On request, with no import, with the repr beside; several at once, in their order.
        let reply = run(&mut env, "display(Everything(), 5)\ndisplay('text')").await;
        assert_eq!((reply.result(), reply.stdout()), (None, ""));
        let with_text = [all, &[("text/plain", b"everything" as &[u8])]].concat();
        assert_eq!(ways(&reply.displays()[0]), with_text);
        assert!(!reply.displays()[0].is_result);
        assert_eq!(texts(&reply), ["everything", "5", "'text'"]);
        // What has no more than a repr shows nothing, and a step without displays has none.
        for code in [
            "5",
            "[Everything()]",
            "Everything",
            "x = Everything()",
            "print(5)",
        ] {
            assert!(run(&mut env, code).await.displays().is_empty(), "{code}");
        }
        // The caller chooses, and the code.
        let mut options = StepOptions::default();
        options.display_mime_types = vec!["image/jpeg".into(), "text/html".into()];
        let code = "display(Everything())\ndisplay(Everything(), exclude=['text/html', 'text/plain'])\ndisplay(Everything(), include=['image/png'])";
        let reply = env.step_with(code, options).await.unwrap();
        let chosen: Vec<_> = reply.displays().iter().map(ways).collect();
        let html = ("text/html", b"<b>bold</b>" as &[u8]);
        let jpeg = ("image/jpeg", b"\xff\xd8" as &[u8]);
        let plain = ("text/plain", b"everything" as &[u8]);
        assert_eq!(chosen, [vec![html, jpeg, plain], vec![jpeg], vec![plain]]);
        // Several things at once by one method, as plotly and altair do, and without an object.
        let reply = run(
            &mut env,
            "class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'application/vnd.plotly.v1+json': {'data': []}, 'image/png': 'iVBORw==', 'text/html': None}
    def _repr_html_(self): return '<i>'
Bundle()",
        )
        .await;
        let bundle: &[(&str, &[u8])] = &[
            ("application/vnd.plotly.v1+json", b"{\"data\": []}"),
            ("image/png", b"\x89PNG"),
            ("text/html", b"<i>"),
        ];
        assert_eq!(ways(&reply.displays()[0]), bundle);
        let reply = run(&mut env, "display({'text/markdown': '*so*'}, raw=True)").await;
        assert_eq!(
            ways(&reply.displays()[0]),
            [("text/markdown", b"*so*" as &[u8])]
        );
        // A name of one's own is one's own.
        assert!(
            run(&mut env, "display = print\ndisplay(1)")
                .await
                .displays()
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_shows_nothing_loads_nothing_for_it() {
    let code = "import sys\nprint(sorted({'json', 'binascii', 'base64', 'matplotlib', 'plotly', 'IPython'} & set(sys.modules)))\nobject()";
    for python in pythons() {
        // Some load what a machine has for all programs.
        let bare = Command::new(&python).args(["-c", code]).output().unwrap();
        for server in servers_of(&python) {
            let mut env = server.env().await;
            env.reset().await.unwrap();
            let reply = run(&mut env, code).await;
            assert_eq!(reply.stdout().as_bytes(), bare.stdout);
            assert_eq!(reply.reported.unwrap().displays_dropped, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_representation_is_told_and_the_step_goes_on() {
    for server in servers() {
        let mut env = env_with(&server, Limits::default()).await;
        for (code, told) in [
            ("raise ValueError('broken')", "ValueError: broken"),
            (
                "return 5",
                "TypeError: text/html has to be str or bytes, not int",
            ),
            (
                "return self._repr_html_()",
                "RecursionError: maximum recursion depth exceeded",
            ),
            ("return {}['x']", "KeyError: 'x'"),
        ] {
            let code = format!(
                "class Broken:\n    def __repr__(self): return 'there'\n    def _repr_html_(self): {code}\ndisplay(Broken())\nBroken()"
            );
            let reply = env.step(&code).await.unwrap();
            assert_eq!(reply.outcome(), Outcome::Completed, "{code}");
            assert_eq!(reply.result(), Some("there"));
            let last = reply.stderr().lines().last().unwrap_or_default();
            assert!(last.starts_with(told), "{code}: {}", reply.stderr());
            assert!(!reply.stderr().contains("/proc/self"), "{}", reply.stderr());
            assert_eq!(texts(&reply), ["there"]);
        }
        let reply = env
            .step("display({'no type': 'x', 'text/html': 'y', 'image/png': '?' * 9}, raw=True)\ndisplay(5, raw=True)")
            .await
            .unwrap();
        assert_eq!(ways(&reply.displays()[0])[0], ("text/html", b"y" as &[u8]));
        assert!(
            reply.stderr().contains("'no type' is no media type"),
            "{}",
            reply.stderr()
        );
        // What ends a program ends it there, too.
        let hidden = "class End:\n    def _repr_html_(self): import os, sys, time; ";
        let exits = env
            .step(format!("{hidden}sys.exit(3)\nEnd()"))
            .await
            .unwrap();
        assert_eq!((exits.outcome(), exits.exit_code()), (Outcome::Exited, 3));
        let mut options = StepOptions::default();
        options.timeout = Some(Duration::from_millis(300));
        let code = format!("{hidden}display('before'); time.sleep(1000)\ndisplay('first'); End()");
        let slow = env.step_with(code, options).await.unwrap();
        assert_eq!(
            (slow.outcome(), slow.state_after()),
            (Outcome::TimedOut, StateAfter::Intact)
        );
        assert_eq!(texts(&slow), ["'first'", "'before'"]);
        assert_eq!(run(&mut env, "6 * 7").await.result(), Some("42"));
        let killed = env
            .step(format!("{hidden}os._exit(9)\ndisplay('kept'); End()"))
            .await
            .unwrap();
        assert_eq!((killed.outcome(), killed.exit_code()), (Outcome::Killed, 9));
        assert_eq!(
            texts(&killed),
            ["'kept'"],
            "what was shown before the end is there"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_threads_and_children_show_breaks_no_channel() {
    for server in servers() {
        let mut env = env_with(&server, Limits::default()).await;
        let code = "import threading, time\ndef work():\n    for number in range(20): display(number)\nthreads = [threading.Thread(target=work) for _ in range(3)]\nfor thread in threads: thread.start()\nfor thread in threads: thread.join()";
        assert_eq!(run(&mut env, code).await.displays().len(), 60);
        // What is shown between two steps is the next one's.
        let code = "go = threading.Event()\ndef later():\n    go.wait()\n    display('between')\nthread = threading.Thread(target=later)\nthread.start()\nthreading.Timer(0.05, go.set).start()";
        let none = run(&mut env, code).await;
        let next = run(&mut env, "thread.join()").await;
        assert_eq!([texts(&none), texts(&next)].concat(), ["'between'"]);
        let alarm = "import signal\nsignal.signal(signal.SIGALRM, lambda *_: display('alarm'))\nsignal.setitimer(signal.ITIMER_REAL, 0.05);";
        let before = run(&mut env, alarm).await;
        let after = run(&mut env, "time.sleep(0.3)").await;
        assert_eq!([texts(&before), texts(&after)].concat(), ["'alarm'"]);
        let fork = "import os\npid = os.fork()\nif pid == 0:\n    display('child')\n    Everything()\nelse:\n    os.waitpid(pid, 0); display('parent')";
        let reply = run(&mut env, fork).await;
        assert_eq!(texts(&reply), ["'parent'"]);
        assert_eq!(reply.stdout(), "'child'\n", "a child can only print");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn displays_are_bounded_in_number_and_in_bytes() {
    for server in servers() {
        // As many as there may be, and one more.
        let limits = Limits {
            displays: Some(2),
            ..Limits::default()
        };
        let mut env = env_with(&server, limits).await;
        for (count, dropped) in [(2, 0), (3, 1), (1000, 998)] {
            let reply = run(
                &mut env,
                &format!("for number in range({count}): display(number)"),
            )
            .await;
            assert_eq!(texts(&reply), ["0", "1"]);
            assert_eq!(reply.reported.unwrap().displays_dropped, dropped);
        }
        // A representation of a megabyte travels, a larger one is put into the workspace, whole.
        let mut env = env_with(&server, Limits::default()).await;
        let reply = run(&mut env, &format!("Large({MIB})")).await;
        let one = &reply.displays()[0].representations[0];
        assert_eq!(
            (one.data.len(), one.total_bytes, one.file_path.as_str()),
            (MIB, MIB as u64, "")
        );
        let reply = run(&mut env, &format!("Large({MIB} + 1)")).await;
        let one = &reply.displays()[0].representations[0];
        assert_eq!((one.data.len(), one.total_bytes), (0, MIB as u64 + 1));
        assert_eq!(one.file_path, ".displays/3-1.html");
        assert_eq!(reply.displays()[0].data("text/html"), None);
        let read = format!("open({:?}).read() == 'x' * ({MIB} + 1)", one.file_path);
        assert_eq!(run(&mut env, &read).await.result(), Some("True"));
        // Wherever the program has gone meanwhile, and whatever it has put there.
        let away = "import os\nos.mkdir('away'); os.chdir('away')\nos.symlink('/etc/passwd', os.environ['HOME'] + '/.displays/5-2.html');";
        run(&mut env, away).await;
        let reply = run(&mut env, &format!("Large({MIB} + 1)")).await;
        let one = &reply.displays()[0].representations[0];
        assert_eq!(one.file_path, ".displays/6-2.html");
        // All of a step's together.
        let limits = Limits {
            display_bytes: Some(2048),
            ..Limits::default()
        };
        let mut env = env_with(&server, limits).await;
        let reply = run(&mut env, "display(Large(1024), exclude=['text/plain'])\ndisplay(Large(1024), exclude=['text/plain'])").await;
        assert!(
            reply
                .displays()
                .iter()
                .all(|display| display.data("text/html").is_some())
        );
        let reply = run(&mut env, "display(Large(1024), exclude=['text/plain'])\ndisplay(Large(1025), exclude=['text/plain'])").await;
        let paths = reply
            .displays()
            .iter()
            .map(|display| display.representations[0].file_path.as_str());
        assert_eq!(paths.collect::<Vec<_>>(), ["", ".displays/3-1.html"]);
        // No room in the workspace either.
        run(
            &mut env,
            "import os, shutil\nshutil.rmtree('.displays')\nopen('.displays', 'w').close()",
        )
        .await;
        let reply = run(&mut env, "Large(5000)").await;
        let one = &reply.displays()[0].representations[0];
        assert_eq!(
            (one.data.len(), one.total_bytes, one.file_path.as_str()),
            (0, 5000, "")
        );
        // More ways than one thing may have.
        let reply = run(
            &mut env,
            "display({f'text/{n}': 'x' for n in range(40)}, raw=True)",
        )
        .await;
        assert_eq!(reply.displays()[0].representations.len(), 16);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_with_displays_stay_within_what_their_caller_decodes() {
    let server = Server::start(&["--kept-reply-bytes", "0"]);
    let mut env = env_with(&server, Limits::default()).await;
    let code = format!("print('y' * ({MIB} - 1))\nfor _ in range(3): display(Large(1000000))");
    for (asked, here) in [(None, 2), (Some(64 * KIB), 0), (Some(8 * MIB), 3)] {
        let mut options = StepOptions::default();
        options.max_reply_bytes = asked.map(|bytes| u32::try_from(bytes).unwrap());
        let reply = env.step_with(&code, options).await.unwrap();
        let bytes = reply.encoded_len();
        assert!(bytes <= asked.unwrap_or(3_670_016), "{asked:?}: {bytes}");
        assert_eq!(reply.displays().len(), 3);
        let large = reply
            .displays()
            .iter()
            .map(|display| &display.representations[0]);
        assert!(large.clone().all(|one| one.total_bytes == 1_000_000));
        assert_eq!(
            large.filter(|one| !one.data.is_empty()).count(),
            here,
            "{asked:?}"
        );
        assert_eq!(texts(&reply), ["large"; 3], "{asked:?}");
        let whole = reply.stdout().len() == MIB;
        assert_eq!(whole, asked.is_none_or(|asked| asked > MIB), "{asked:?}");
    }
    // Names of very many displays have to fit as well.
    let mut options = StepOptions::default();
    options.max_reply_bytes = Some(64 << 10);
    let code = "for number in range(64):\n    display({f'text/{n:0100}': 'x' for n in range(16)}, raw=True)";
    let reply = env.step_with(code, options).await.unwrap();
    assert!(reply.encoded_len() <= 64 * KIB);
    let shown = u32::try_from(reply.displays().len()).unwrap();
    assert!(shown > 5, "{shown}");
    assert_eq!(reply.reported.unwrap().displays_dropped, 64 - shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_gets_the_displays_unless_they_were_dropped_for_space() {
    let server = Server::start(&["--kept-reply-bytes", "0"]);
    let mut raw = server.raw().await;
    raw.reset(crate::refusals::reset_request("e"))
        .await
        .unwrap();
    let order = |index: u32, size: usize| StepRequest {
        episode_id: "e".to_owned(),
        action: Some(CodeAction {
            code: format!("{SHOWN}\nLarge({size})"),
        }),
        step_index: Some(index),
        ..StepRequest::default()
    };
    // The last reply is kept up to 64 KiB whatever the budget is, and displays are counted.
    for (index, size, kept) in [(0, 60_000, true), (1, 70_000, false)] {
        let first = raw.step(order(index, size)).await.unwrap().into_inner();
        assert_eq!(first.displays().len(), 1);
        let again = raw.step(order(index, size)).await.unwrap().into_inner();
        assert_eq!(
            (again.replayed, again.output_dropped),
            (true, !kept),
            "{size}"
        );
        let expected = if kept { first.displays() } else { &[] };
        assert_eq!(again.displays(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_types_that_are_none_are_refused() {
    use crate::refusals::{refused, reset_request, step_request};
    let server = Server::start(&[]);
    let mut raw = server.raw().await;
    raw.reset(reset_request("e")).await.unwrap();
    let with = |types: Vec<String>| StepRequest {
        display_mime_types: types,
        ..step_request("e", "1")
    };
    let longest = format!("image/{}", "x".repeat(122));
    raw.step(with(vec![longest.clone(); 16])).await.unwrap();
    let too_long = format!("{longest}x");
    for bad in [
        "",
        "png",
        "image/png image/svg+xml",
        "image/\u{e9}",
        "text/html; charset=utf-8",
        &too_long,
    ] {
        let status = raw
            .step(with(vec!["image/png".to_owned(), bad.to_owned()]))
            .await
            .unwrap_err();
        let metadata = refused(&status, tonic::Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], "display_mime_types[1]", "{bad}");
    }
    let status = raw.step(with(vec![longest; 17])).await.unwrap_err();
    let metadata = refused(&status, tonic::Code::InvalidArgument, "INVALID_FIELD");
    assert_eq!(metadata["display_mime_types_maximum"], "16");
}

/// What `displays.py` packs, by hand, and what it never does.
const FORGE: &str = "
import os, struct
def frame(number, ways, flags=0, kind=3):
    body = struct.pack('<BIBB', kind, number, flags, len(ways))
    for mime_type, path, total, data in ways:
        body += struct.pack('<BBQI', len(mime_type), len(path), total, len(data)) + mime_type + path + data
    return struct.pack('<I', len(body)) + body
def send(data):
    while data: data = data[os.write(3, data):]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_displays_are_checked_whole() {
    each_place(&[], async |_, server| {
        let mut wrong = Vec::new();
        let mut env = server.env().await;
        env.reset().await.unwrap();
        // A well-formed one is a claim like any other.
        env.step(FORGE).await.unwrap();
        let reply = env
            .step("send(frame(2, [(b'text/html', b'', 1, b'x')]))")
            .await
            .unwrap();
        if reply.outcome() != Outcome::Completed || reply.displays().len() != 1 {
            wrong.push(format!("a well-formed display: {reply:?}"));
        }
        for attack in [
            "send(frame(1, [(b'text/html', b'', 1, b'x')]))",
            "send(frame(9, [(b'text/html', b'', 1, b'x')]))",
            "send(frame(2, []))",
            "send(frame(2, [(b'text/html', b'', 2, b'x')]))",
            "send(frame(2, [(b'no type', b'', 1, b'x')]))",
            "send(frame(2, [(b'text/html', b'/etc/passwd', 9, b'')]))",
            "send(frame(2, [(b'text/html', b'.displays/../x.html', 9, b'')]))",
            "send(frame(2, [(b'text/html', b'', 1, b'x')] * 2))",
            "send(frame(2, [(b'text/html', b'', 1, b'x')], flags=2))",
            "send(frame(2, [(b'text/html', b'', (1 << 20) + 1, b'x' * ((1 << 20) + 1))]))",
            "for _ in range(65): send(frame(2, [(b'text/html', b'', 1, b'x')]))",
            "for _ in range(4): send(frame(2, [(b'text/html', b'', 1 << 20, b'x' * (1 << 20))]))",
            "send(struct.pack('<I', 1 << 30) + b'\\x03')",
            "send(struct.pack('<IBII', 9, 4, 2, 0))",
            "send(struct.pack('<IBII', 9, 4, 2, 5) * 2)",
            "send(struct.pack('<IB', 1, 3))",
        ] {
            env.reset().await.unwrap();
            env.step(FORGE).await.unwrap();
            let reply = env
                .step(format!("print('shown', flush=True)\n{attack}"))
                .await
                .unwrap();
            let told = (reply.outcome(), reply.state_after(), reply.stdout());
            if told != (Outcome::ProtocolViolation, StateAfter::Lost, "shown\n") {
                wrong.push(format!("{attack}: {told:?}"));
            }
        }
        wrong
    })
    .await;
}

// === matplotlib ===

/// The size that a PNG file tells in its first chunk.
fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let head = png.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (kind, rest) = (head.get(4..8)?, head.get(8..)?);
    let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    (kind == b"IHDR" && png.ends_with(b"IEND\xaeB`\x82")).then_some((number(0)?, number(4)?))
}

/// A server with the scientific libraries. None where the host lacks them.
fn with_libraries(flags: &[&str]) -> Option<Server> {
    let python = std::env::var("CODING_ENV_TEST_NUMPY_PYTHON").ok();
    let Some(python) = python.filter(|path| !path.is_empty()) else {
        lacks("numpy");
        return None;
    };
    Some(Server::start(&[&["--python", &python], flags].concat()))
}

/// The programs of `examples/gallery`.
fn gallery() -> Vec<(String, String)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gallery");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut programs: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    programs.sort();
    assert_eq!(programs.len(), 20);
    programs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plots_of_every_kind_come_back_as_pictures() {
    let Some(server) = with_libraries(&["--preload", "matplotlib.pyplot,numpy"]) else {
        return;
    };
    for (name, code) in gallery() {
        let mut env = server.env().await;
        env.reset().await.unwrap();
        let reply = run(&mut env, &code).await;
        let [display] = reply.displays() else {
            panic!("{name}: {} displays", reply.displays().len())
        };
        let png = display.data("image/png").unwrap();
        let (width, height) = png_size(png).unwrap_or_else(|| panic!("{name} is no PNG"));
        // 100 dots an inch, and the margins cut to what is drawn.
        assert!(
            (250..=1000).contains(&width) && (200..=700).contains(&height),
            "{name}: {width} x {height}"
        );
        assert!(
            png.len() > 4000,
            "{name}: {} bytes are an empty picture's",
            png.len()
        );
        env.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_shown_once_and_closed_as_in_a_notebook() {
    let Some(server) = with_libraries(&[]) else {
        return;
    };
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let first = run(
        &mut env,
        "import matplotlib.pyplot as plt\nimport matplotlib\nmatplotlib.get_backend()",
    )
    .await;
    assert_eq!((first.result(), first.displays().len()), (Some("'agg'"), 0));
    let figure = "figure, axes = plt.subplots(figsize=(3, 2)); axes.plot([1, 2, 4])";
    for (code, count) in [
        // Left open, shown, both, several.
        (figure.to_owned(), 1),
        (format!("{figure}; plt.show()"), 1),
        (format!("{figure}; figure.show()"), 1),
        (format!("{figure}; plt.show(); plt.plot([3])"), 2),
        (format!("{figure}\n{figure}"), 2),
        // The last expression, and a display, are not shown again at the end, but for what was drawn since.
        (format!("{figure}\nfigure"), 1),
        (format!("{figure}\ndisplay(figure)"), 1),
        (format!("{figure}\ndisplay(figure)\naxes.plot([2, 1])"), 2),
        (
            format!("{figure}\nplt.show(block=False)\naxes.plot([2, 1])"),
            2,
        ),
        // A file of one's own, an error later, nothing drawn, closed by hand.
        (format!("{figure}; figure.savefig('own.png')"), 1),
        ("empty = plt.figure()".to_owned(), 0),
        (format!("{figure}; plt.close()"), 0),
        ("plt.get_fignums()".to_owned(), 0),
    ] {
        let reply = run(&mut env, &code).await;
        assert_eq!(reply.displays().len(), count, "{code}");
        for display in reply.displays() {
            assert!(
                display
                    .data("image/png")
                    .is_some_and(|png| png_size(png).is_some()),
                "{code}"
            );
        }
    }
    // A figure that was closed can be shown still.
    let reply = run(&mut env, "figure").await;
    assert!(reply.displays()[0].is_result);
    assert_eq!(reply.result(), Some("<Figure size 300x200 with 1 Axes>"));
    let raised = env.step(format!("{figure}\n1 / 0")).await.unwrap();
    assert_eq!(
        (raised.outcome(), raised.displays().len()),
        (Outcome::Raised, 1)
    );
    // One that is interrupted has no time to draw: the next shows what is open.
    let mut options = StepOptions::default();
    options.timeout = Some(Duration::from_millis(500));
    let stopped = env
        .step_with(format!("{figure}\nwhile True: pass"), options)
        .await
        .unwrap();
    assert_eq!(
        (stopped.outcome(), stopped.displays().len()),
        (Outcome::TimedOut, 0)
    );
    assert_eq!(run(&mut env, "0").await.displays().len(), 1);
    // One that can't be drawn.
    let broken = env
        .step("figure, axes = plt.subplots(); axes.set_title('$\\\\frac{$');")
        .await
        .unwrap();
    assert_eq!(broken.outcome(), Outcome::Completed);
    assert!(
        broken.stderr().contains("ParseSyntaxException"),
        "{}",
        broken.stderr()
    );
    assert!(
        !broken.stderr().contains("/proc/self"),
        "{}",
        broken.stderr()
    );
    // SVG on request, or both.
    for (types, expected) in [
        (vec!["image/svg+xml"], vec!["image/svg+xml", "text/plain"]),
        (
            vec!["image/svg+xml", "image/png"],
            vec!["image/png", "image/svg+xml", "text/plain"],
        ),
        (
            vec!["application/pdf"],
            vec!["application/pdf", "text/plain"],
        ),
        (vec!["text/html"], vec!["text/plain"]),
    ] {
        let mut options = StepOptions::default();
        options.display_mime_types = types.iter().map(ToString::to_string).collect();
        let reply = env.step_with(figure, options).await.unwrap();
        let shown = ways(&reply.displays()[0]);
        assert_eq!(
            shown.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
            expected
        );
        if let Some(svg) = reply.displays()[0].data("image/svg+xml") {
            assert!(std::str::from_utf8(svg).unwrap().contains("<svg"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_formulas_and_images_are_shown() {
    let Some(server) = with_libraries(&[]) else {
        return;
    };
    let mut env = server.env().await;
    env.reset().await.unwrap();
    let table = run(
        &mut env,
        "import pandas\npandas.DataFrame({'column': [1, 2]})",
    )
    .await;
    let html = table.displays()[0].data("text/html").unwrap();
    assert!(
        std::str::from_utf8(html)
            .unwrap()
            .contains("<th>column</th>")
    );
    assert_eq!(table.result(), Some("   column\n0       1\n1       2"));
    let formula = run(&mut env, "import sympy\nsympy.sqrt(sympy.Symbol('x'))").await;
    assert_eq!(
        formula.displays()[0].data("text/latex"),
        Some(b"$\\displaystyle \\sqrt{x}$" as &[u8])
    );
    let image = run(
        &mut env,
        "from PIL import Image\nImage.new('RGB', (30, 20), 'red')",
    )
    .await;
    let [display] = image.displays() else {
        panic!("{image:?}")
    };
    assert_eq!(display.data("image/png").and_then(png_size), Some((30, 20)));
    assert_eq!(
        display.representations.len(),
        1,
        "the same picture is not sent twice"
    );
    assert!(
        run(&mut env, "import numpy\nnumpy.zeros(3)")
            .await
            .displays()
            .is_empty()
    );
}
