//! Evaluate: what runs in a throw-away copy leaves nothing, and its verdict is the server's, whatever the program does.

use std::time::Duration;

use coding_env::client::{CodingEnv, Reason};
use coding_env::proto::v1::{
    self, Call, CallCheck, Check, CheckResult, EvaluateRequest, Evaluation, EvaluationResult,
    Outcome, StdoutCheck, TextComparison, check,
};
use tonic::Code;

use crate::refusals::{refused, reset_request, step_request};
use crate::support::Server;
use crate::support::copies::{copying, prepared, run};

fn stdout(expected: &str, comparison: TextComparison) -> check::Check {
    check::Check::Stdout(StdoutCheck {
        expected: expected.to_owned(),
        comparison: comparison.into(),
        ..StdoutCheck::default()
    })
}

/// The only check of a result.
fn only(result: &EvaluationResult) -> &CheckResult {
    assert_eq!(result.checks.len(), 1, "{result:?}");
    &result.checks[0]
}

#[tokio::test]
async fn an_evaluation_leaves_nothing_in_the_episode() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "n = [1]\nopen('f', 'w').write('mine')").await;
    let before = env.state().await.unwrap();
    let code = "n.append(2); open('f', 'w').write('other'); open('g', 'w').close(); print(n)\nn";
    let result = env
        .evaluate(Evaluation::of(code).prints("[1, 2]"))
        .await
        .unwrap();
    assert_eq!(result.outcome(), Outcome::Completed);
    assert_eq!(result.stdout(), "[1, 2]\n");
    let observation = result.observation.as_ref().unwrap();
    assert_eq!(
        (observation.exit_code, observation.result.as_deref()),
        (0, Some("[1, 2]"))
    );
    assert_eq!(result.score, Some(1.0));
    assert_eq!(result.claimed_score, None);
    assert!(result.observed.is_some() && result.timeout.is_some());
    // Nor does one that never ends well.
    for code in [
        "import os; os._exit(0)",
        "import os; os.abort()",
        "n.clear()\nraise ValueError",
        "exit(0)",
    ] {
        let result = env.evaluate(Evaluation::of(code).prints("")).await.unwrap();
        assert_eq!(result.score, Some(0.0), "{code}: {result:?}");
    }
    let after = env.state().await.unwrap();
    assert_eq!(after.status(), v1::EpisodeStatus::Idle);
    assert_eq!((after.state, after.totals), (before.state, before.totals));
    let seen = run(&mut env, "import os\nn, open('f').read(), os.listdir()").await;
    assert_eq!(seen, "([1], 'mine', ['f'])");
    let capacity = env.server_info().await.unwrap().capacity.unwrap();
    assert_eq!((capacity.episodes, capacity.evaluations), (1, 0));
}

#[tokio::test]
async fn many_run_side_by_side_each_in_a_copy_of_its_own() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let env = prepared(&server, "import time\ntrail = []").await;
    let evaluations: Vec<Evaluation> = (0..8)
        .map(|at| {
            let code = format!("trail.append({at}); print(trail); time.sleep(0.2)");
            Evaluation::of(code).prints(format!("[{at}]"))
        })
        .collect();
    let response = env.evaluate_all(evaluations).await.unwrap();
    let scores: Vec<_> = response.results.iter().map(|result| result.score).collect();
    assert_eq!(scores, [Some(1.0); 8]);
    assert_eq!(response.state.unwrap().step_count, 1);
}

#[tokio::test]
async fn the_episode_goes_on_while_it_is_evaluated() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let mut env = prepared(&server, "import time\nn = 1").await;
    let mut client = server.raw().await;
    let request = EvaluateRequest {
        episode_id: env.episode_id().unwrap().to_owned(),
        evaluations: vec![Evaluation::of("time.sleep(1); print(n)").prints("1")],
        ..EvaluateRequest::default()
    };
    let evaluating = tokio::spawn(async move { client.evaluate(request).await });
    // Once it runs, steps do too.
    let asked = server.env().await;
    wait_for_evaluations(asked, 1).await;
    for _ in 0..5 {
        run(&mut env, "n += 1").await;
    }
    assert!(!evaluating.is_finished());
    let response = evaluating.await.unwrap().unwrap().into_inner();
    assert_eq!(response.results[0].score, Some(1.0));
    assert_eq!(run(&mut env, "n").await, "6");
}

async fn wait_for_evaluations(mut env: CodingEnv, count: u32) {
    let counted = async {
        loop {
            let info = env.server_info().await.unwrap();
            if info.capacity.unwrap().evaluations == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, counted)
        .await
        .unwrap();
}

#[tokio::test]
async fn one_whose_caller_has_gone_ends() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let env = prepared(&server, "import time").await;
    let mut client = server.raw().await;
    let mut request = tonic::Request::new(EvaluateRequest {
        episode_id: env.episode_id().unwrap().to_owned(),
        evaluations: vec![Evaluation::of("time.sleep(100)"); 3],
        ..EvaluateRequest::default()
    });
    request.set_timeout(Duration::from_millis(700));
    let status = client.evaluate(request).await.unwrap_err();
    assert!(matches!(
        status.code(),
        Code::DeadlineExceeded | Code::Cancelled
    ));
    wait_for_evaluations(server.env().await, 0).await;
}

#[tokio::test]
async fn what_functions_return_is_compared_by_the_server() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let code = "
def solve(*args, **kwargs):
    return [sorted(args), kwargs]
def same(value):
    return value
class Solution:
    def add(self, a, b):
        return a + b
solution = Solution()
";
    let env = prepared(&server, code).await;
    let same = [
        ("[null]", "null"),
        ("[true]", "true"),
        ("[-1.5e3]", "-1500"),
        (
            "[123456789012345678901234567890]",
            "123456789012345678901234567890",
        ),
        (r#"["é😀\"\\\n\u0000"]"#, r#""é😀\"\\\n\u0000""#),
        (r#"[{"a": [1, {"b": null}]}]"#, r#"{"a":[1,{"b":null}]}"#),
        ("[[]]", "[]"),
    ];
    let evaluation = Evaluation::of("")
        .returns("same", same)
        .returns(
            "solution.add",
            [
                ("[1, 2]", "3"),
                ("[\"a\", \"b\"]", "\"ab\""),
                ("[[1], [2]]", "[1, 2]"),
            ],
        )
        .with(check::Check::Calls(CallCheck {
            function: "solve".to_owned(),
            calls: vec![Call {
                args_json: "[3, 1, 2]".to_owned(),
                kwargs_json: r#"{"key": "value"}"#.to_owned(),
                expected_json: r#"[[1, 2, 3], {"key": "value"}]"#.to_owned(),
                ..Call::default()
            }],
        }));
    let result = env.evaluate(evaluation).await.unwrap();
    for check in &result.checks {
        assert_eq!(
            (check.passed, check.score, check.claimed),
            (check.total, 1.0, false),
            "{check:?}"
        );
    }
    assert_eq!(
        result
            .checks
            .iter()
            .map(|check| check.total)
            .collect::<Vec<_>>(),
        [7, 3, 1]
    );
    assert_eq!(result.score, Some(1.0));
    // Each kind of what is wrong.
    let wrong = Evaluation::of(
        "import time\ndef f(x):\n    if x == 0: return 1/0\n    if x == 1: return {1, 2}\n    if x == 2: return float('nan')\n    if x == 3: time.sleep(60)\n    if x == 4: exit(0)\n    return (x, 'x')",
    );
    let mut wrong = wrong.returns(
        "f",
        [
            ("[0]", "1"),
            ("[1]", "[1,2]"),
            ("[2]", "0"),
            ("[3]", "0"),
            ("[4]", "null"),
            ("[5]", "[5, \"x\"]"),
            ("[6]", "[6, \"y\"]"),
        ],
    );
    wrong.call_timeout = Some(prost_types::Duration {
        seconds: 0,
        nanos: 500_000_000,
    });
    let result = env.evaluate(wrong).await.unwrap();
    let check = only(&result);
    assert_eq!((check.passed, check.total), (1, 7), "{check:?}");
    let failed: Vec<(u32, Outcome)> = check
        .failures
        .iter()
        .map(|failure| (failure.index, failure.outcome()))
        .collect();
    assert_eq!(
        failed,
        [
            (0, Outcome::Raised),
            (1, Outcome::Completed),
            (2, Outcome::Completed),
            (3, Outcome::TimedOut),
            (4, Outcome::Exited),
            (6, Outcome::Completed)
        ]
    );
    assert!(check.failures[0].description.contains("ZeroDivisionError"));
    assert_eq!(result.score, Some(1.0 / 7.0));
}

#[tokio::test]
async fn a_lost_interpreter_fails_what_is_left_and_weights_count() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let env = prepared(
        &server,
        "import os\ndef f(x):\n    if x == 2: os._exit(0)\n    return x",
    )
    .await;
    let calls = [("[1]", "1"), ("[2]", "2"), ("[3]", "3"), ("[4]", "4")];
    let mut evaluation = Evaluation::of("print('x')").prints("x").returns("f", calls);
    evaluation.checks[0].weight = Some(3);
    let result = env.evaluate(evaluation).await.unwrap();
    assert_eq!(result.checks[0].score, 1.0);
    let check = &result.checks[1];
    assert_eq!((check.passed, check.total, check.score), (1, 4, 0.25));
    assert_eq!(check.failures.len(), 3);
    assert!(
        check.failures[1].description.contains("had ended"),
        "{check:?}"
    );
    assert_eq!(result.score, Some((3.0 + 0.25) / 4.0));
}

#[tokio::test]
async fn tests_of_a_file_are_claims() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let env = prepared(&server, "def double(x): return 2 * x").await;
    let file = "
import unittest
def test_right():
    assert double(2) == 4
def test_wrong():
    assert double(2) == 5, 'it is not'
class TestMore:
    def test_method(self):
        assert double('a') == 'aa'
def test_exit():
    exit(0)
def test_crash():
    import os; os._exit(0)
def test_after():
    pass
";
    let result = env.evaluate(Evaluation::of("").tests(file)).await.unwrap();
    let check = only(&result);
    assert!(check.claimed);
    assert_eq!((check.passed, check.total), (2, 6), "{check:?}");
    let failed: Vec<&str> = check
        .failures
        .iter()
        .map(|failure| failure.name.as_str())
        .collect();
    assert_eq!(
        failed,
        ["test_wrong", "test_exit", "test_crash", "test_after"]
    );
    assert!(
        check.failures[0]
            .description
            .contains("AssertionError: it is not")
    );
    assert_eq!(
        (result.score, result.claimed_score),
        (None, Some(2.0 / 6.0))
    );
    // A file that does not come to its end has passed nothing.
    let broken = format!("{file}\nraise ValueError");
    let result = env
        .evaluate(Evaluation::of("").tests(broken))
        .await
        .unwrap();
    assert_eq!(result.claimed_score, Some(0.0));
}

/// The attacks on rewards of the catalogue (security.md of the design, 57 to 74): what the policy runs, in its episode or in the code that is evaluated. None
/// knows the answer.
const ATTACKS: &[(&str, &str)] = &[
    (
        "57 frames of the harness",
        "import sys\nframe = sys._getframe()\nwhile frame:\n    for name, value in list(frame.f_locals.items()):\n        if name in ('exit_code', 'end', 'result'): frame.f_locals[name] = 0\n    frame = frame.f_back",
    ),
    (
        "58 objects of the harness",
        "import gc\nfor one in gc.get_objects():\n    if type(one).__name__ == 'Worker':\n        one.step = lambda *a: None\n        one.run = lambda *a: (42, 0, True)",
    ),
    (
        "59 builtins replaced",
        "import builtins, json, os\nbuiltins.repr = lambda *_: '42'\njson.dumps = lambda *_, **__: '42'\nbuiltins.compile = builtins.compile",
    ),
    (
        "60 raw writes to every descriptor",
        "import os, struct\nfor fd in range(3, 64):\n    try: os.write(fd, struct.pack('<IBIBBiQIII', 31, 2, 1, 1, 0, 0, 0, 0, 0, 0))\n    except OSError: pass",
    ),
    (
        "61 frames of a traceback",
        "try: 1/0\nexcept ZeroDivisionError as error:\n    frame = error.__traceback__.tb_frame.f_back\n    while frame: frame = frame.f_back",
    ),
    ("62 os._exit(0)", "import os\nos._exit(0)"),
    ("62 sys.exit(0)", "import sys\nsys.exit(0)"),
    ("63 sys.exit(256)", "import sys\nsys.exit(256)"),
    ("64 SystemExit of something else", "raise SystemExit(3.5)"),
    (
        "65 swallows what interrupts it",
        "import time\nwhile True:\n    try: time.sleep(0.05)\n    except BaseException: pass",
    ),
    (
        "66 acts at the end",
        "import atexit, os\natexit.register(lambda: os.write(1, b'42'))\nclass A:\n    def __del__(self): os.write(1, b'42')\na = A()",
    ),
    (
        "67 always equal",
        "class Equal(int):\n    __eq__ = lambda *_: True\n    __ne__ = lambda *_: False\n    __hash__ = int.__hash__\n    __repr__ = __str__ = lambda _: '[42]'\ndef solve(*_): return Equal(0)\nprint(Equal(0))",
    ),
    (
        "68 tracing",
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\nsys.addaudithook(lambda *a: None)",
    ),
    (
        "69 memory of the harness",
        "import ctypes\nx = 0\nctypes.c_ssize_t.from_address(id(x)).value += 1",
    ),
    (
        "70 poisoned modules",
        "open('json.py', 'w').write('dumps = lambda *_: \"42\"')\nopen('sitecustomize.py', 'w').write('')\nimport sys; sys.path.insert(0, '.')\nsys.modules.pop('json', None)\nimport json",
    ),
    (
        "71 hostile pickle",
        "import os\nclass P:\n    def __reduce__(self): return (os.system, ('echo 42',))\ndef solve(*_): return P()\nP()",
    ),
    (
        "72 patched clocks",
        "import time\ntime.time = time.perf_counter = time.monotonic = lambda: 0.0",
    ),
    (
        "73 searches memory and files for the answer",
        "import gc, os, re\nfound = [one for one in gc.get_objects() if isinstance(one, (str, bytes)) and '1764' in str(one)]\nfor name in os.listdir('.'): open(name).read()\nprint(found)",
    ),
    (
        "74 leaves something for the next one",
        "import os, tempfile\nopen('/tmp/answer', 'w').write('1764')\nopen('answer', 'w').write('1764')\nos.environ['ANSWER'] = '1764'",
    ),
];

#[tokio::test]
async fn no_attack_on_rewards_changes_a_verdict_of_the_servers() {
    let Some(server) = copying(&["--interrupt-grace", "200ms"]).await else {
        return;
    };
    let judged = |code: &str| {
        let mut evaluation = Evaluation::of(code)
            .with(stdout("1764", TextComparison::Exact))
            .with(stdout("1764", TextComparison::Tokens))
            .returns("solve", [("[42]", "1764"), ("[43]", "1849")]);
        evaluation.timeout = Some(prost_types::Duration {
            seconds: 1,
            nanos: 0,
        });
        evaluation.call_timeout = evaluation.timeout;
        evaluation
    };
    let honest = "def solve(x): return x * x\nprint(solve(42), end='')";
    for (what, attack) in ATTACKS {
        // In the code that is evaluated.
        let mut env = prepared(&server, "def solve(x): return 0").await;
        let result = env.evaluate(judged(attack)).await.unwrap();
        assert_eq!(result.score, Some(0.0), "{what}: {result:?}");
        // What is honest is judged as it is, beside it and after it.
        let both = env
            .evaluate_all(vec![judged(attack), judged(honest)])
            .await
            .unwrap();
        let scores: Vec<_> = both.results.iter().map(|result| result.score).collect();
        assert_eq!(scores, [Some(0.0), Some(1.0)], "{what}");
        assert_eq!(run(&mut env, "solve(1)").await, "0", "{what}");
        // In the episode, before: it may spoil its own result, and can't make it better.
        let mut options = coding_env::client::StepOptions::default();
        options.timeout = Some(Duration::from_secs(1));
        let reply = env.step_with(*attack, options).await.unwrap();
        if !reply.done {
            match env.evaluate(judged("")).await {
                Ok(result) => assert_eq!(result.score, Some(0.0), "{what}: {result:?}"),
                Err(error) => assert!(
                    matches!(
                        error.reason(),
                        Some(Reason::ForkUnsupported | Reason::EpisodeLost | Reason::ForkFailed)
                    ),
                    "{what}: {error}"
                ),
            }
        }
        env.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_expected_is_never_in_the_interpreter() {
    let Some(server) = copying(&[]).await else {
        return;
    };
    let env = prepared(&server, "import gc, sys").await;
    // It looks at all that it has, also at what it is called with, for the texts that the server compares with.
    let code = "
def search():
    mine = ''.join(['sec', 'ret'])
    texts = [one for one in gc.get_objects() if isinstance(one, str)]
    try:
        with open('/proc/self/maps') as maps:
            regions = [line.split()[0] for line in maps if 'rw' in line]
    except OSError: regions = []  # a level that keeps /proc from episodes
    found = 0
    try:
        memory = open('/proc/self/mem', 'rb', 0)
        for region in regions:
            begin, end = (int(part, 16) for part in region.split('-'))
            try:
                memory.seek(begin)
                found += memory.read(end - begin).count((mine + '-of-the-server').encode())
            except (OSError, ValueError, OverflowError): pass
    except OSError: pass
    return found
def solve(x):
    return search()
print(search())
";
    let evaluation = Evaluation::of(code)
        .with(stdout("secret-of-the-server", TextComparison::Exact))
        .returns("solve", [("[1]", "\"secret-of-the-server\""), ("[2]", "0")]);
    let result = env.evaluate(evaluation).await.unwrap();
    let printed: u32 = result.stdout().trim().parse().unwrap();
    // Its own search builds the text once or twice.
    assert!(printed <= 8, "{printed}");
    let check = &result.checks[1];
    assert!(check.passed <= 1, "{check:?}");
    for failure in result.checks.iter().flat_map(|check| &check.failures) {
        assert!(!failure.description.contains("secret"), "{failure:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_field_by_field() {
    let server = Server::start_open(&["--max-evaluations", "2"]);
    let mut client = server.raw().await;
    client.reset(reset_request("e")).await.unwrap();
    client.step(step_request("e", "1")).await.unwrap();
    let with = |check: check::Check| Evaluation::of("").with(check);
    let calls = |function: &str, args: &str, expected: &str| {
        check::Check::Calls(CallCheck {
            function: function.to_owned(),
            calls: vec![Call {
                args_json: args.to_owned(),
                expected_json: expected.to_owned(),
                ..Call::default()
            }],
        })
    };
    let numeric = |absolute_tolerance: f64, relative_tolerance: f64| {
        check::Check::Stdout(StdoutCheck {
            absolute_tolerance,
            relative_tolerance,
            ..StdoutCheck::default()
        })
    };
    let weighted = |weight| Evaluation {
        checks: vec![Check {
            check: Some(stdout("", TextComparison::Exact)),
            weight: Some(weight),
        }],
        ..Evaluation::of("")
    };
    let zero = Some(prost_types::Duration::default());
    let prefix = "evaluations[0]";
    let rows = [
        (Evaluation::default(), format!("{prefix}.action")),
        (
            Evaluation {
                checks: vec![Check::default()],
                ..Evaluation::of("")
            },
            format!("{prefix}.checks[0]"),
        ),
        (
            Evaluation {
                checks: vec![
                    Check {
                        check: Some(stdout("", TextComparison::Exact)),
                        weight: None
                    };
                    65
                ],
                ..Evaluation::of("")
            },
            format!("{prefix}.checks"),
        ),
        (weighted(0), format!("{prefix}.checks[0].weight")),
        (weighted(1001), format!("{prefix}.checks[0].weight")),
        (
            Evaluation {
                timeout: zero,
                ..Evaluation::of("")
            },
            format!("{prefix}.timeout"),
        ),
        (
            Evaluation {
                call_timeout: zero,
                ..Evaluation::of("")
            },
            format!("{prefix}.call_timeout"),
        ),
        (
            with(calls("f(", "", "1")),
            format!("{prefix}.checks[0].calls.function"),
        ),
        (
            with(calls("f", "{}", "1")),
            format!("{prefix}.checks[0].calls.calls[0].args_json"),
        ),
        (
            with(calls("f", "[1", "1")),
            format!("{prefix}.checks[0].calls.calls[0].args_json"),
        ),
        (
            with(calls("f", "", "")),
            format!("{prefix}.checks[0].calls.calls[0].expected_json"),
        ),
        (
            with(calls("f", "", "NaN")),
            format!("{prefix}.checks[0].calls.calls[0].expected_json"),
        ),
        (
            with(check::Check::Calls(CallCheck {
                function: "f".to_owned(),
                calls: Vec::new(),
            })),
            format!("{prefix}.checks[0].calls.calls"),
        ),
        (
            with(numeric(-1.0, 0.0)),
            format!("{prefix}.checks[0].stdout.absolute_tolerance"),
        ),
        (
            with(numeric(f64::NAN, 0.0)),
            format!("{prefix}.checks[0].stdout.absolute_tolerance"),
        ),
        (
            with(numeric(f64::INFINITY, 0.0)),
            format!("{prefix}.checks[0].stdout.absolute_tolerance"),
        ),
        (
            with(numeric(0.0, 1.5)),
            format!("{prefix}.checks[0].stdout.relative_tolerance"),
        ),
        (
            Evaluation::of("").tests("def helper(): pass"),
            format!("{prefix}.checks[0].tests.source"),
        ),
        (
            with(stdout(&"x".repeat((1 << 20) + 1), TextComparison::Exact)),
            format!("{prefix}.checks[0].stdout.expected"),
        ),
    ];
    let ask = |evaluations: Vec<Evaluation>| EvaluateRequest {
        episode_id: "e".to_owned(),
        evaluations,
        ..EvaluateRequest::default()
    };
    for (evaluation, field) in rows {
        let status = client.evaluate(ask(vec![evaluation])).await.unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], field);
    }
    for count in [0, 3] {
        let status = client
            .evaluate(ask(vec![Evaluation::of(""); count]))
            .await
            .unwrap_err();
        let metadata = refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(metadata["fields"], "evaluations");
    }
}

#[tokio::test]
async fn evaluations_take_places_and_fit_their_reply() {
    let Some(server) = copying(&["--max-episodes", "5"]).await else {
        return;
    };
    let mut env = prepared(&server, "1").await;
    let error = refused_now(&env, 5).await;
    assert_eq!(error, Reason::EpisodeLimit);
    // A flood of output in each of them.
    let flood =
        "import sys\nprint('x' * 3_000_000)\nsys.stderr.write('y' * 3_000_000)\n'z' * 1_000_000";
    let response = env
        .evaluate_all(vec![Evaluation::of(flood).prints("x"); 4])
        .await
        .unwrap();
    assert!(prost::Message::encoded_len(&response) < 3_670_016);
    for result in &response.results {
        assert!(result.observed.as_ref().unwrap().stdout_truncated);
        assert_eq!(
            result.observed.as_ref().unwrap().stdout_total_bytes,
            3_000_001
        );
        assert_eq!(result.score, Some(0.0), "what was cut is not compared");
    }
    env.close().await.unwrap();
}

/// Why so many evaluations are refused, at once.
async fn refused_now(env: &CodingEnv, count: usize) -> Reason {
    let asked = env.evaluate_all(vec![Evaluation::of(""); count]);
    match tokio::time::timeout(Duration::from_secs(2), asked).await {
        // The client tries again for as long as it may.
        Err(_) => Reason::EpisodeLimit,
        Ok(answer) => answer.unwrap_err().reason().unwrap().clone(),
    }
}
