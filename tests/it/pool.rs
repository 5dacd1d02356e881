//! The pool of the Rust client, on several real servers that fill up, drain, stop and are killed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use coding_env::client::pool::{PoolOptions, PooledEnv, Standing, VectorEnv, VectorOptions};
use coding_env::client::{Error, Options, Pool, Reason, StepOptions, Token};
use coding_env::proto::v1;
use tokio::sync::watch;

use crate::sessions::cutting_proxy;
use crate::support::{PATIENCE, Server, field, is_running};

fn server(id: &str, flags: &[&str]) -> Server {
    Server::start(&[&["--server-id", id], flags].concat())
}

fn urls(servers: &[&Server]) -> Vec<String> {
    servers.iter().map(|server| server.url()).collect()
}

fn options(deadline: Duration) -> PoolOptions {
    let mut options = PoolOptions::default();
    options.client.deadline = deadline;
    options
}

async fn pool_of(servers: &[&Server]) -> Pool {
    Pool::connect_with(urls(servers), options(PATIENCE * 2))
        .await
        .unwrap()
}

async fn reset(pool: &Pool, count: usize) -> Vec<PooledEnv> {
    let envs = pool.reset_many(count).await;
    envs.into_iter().collect::<Result<_, _>>().unwrap()
}

/// How many of these episodes each server has.
fn per_server(envs: &[PooledEnv]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for env in envs {
        *counts.entry(env.server_id().unwrap()).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected
        .into_iter()
        .map(|(id, count)| (id.to_owned(), count))
        .collect()
}

/// Those of the environments whose episode is on this server.
fn on(envs: &[PooledEnv], id: &str) -> Vec<PooledEnv> {
    let on = |env: &&PooledEnv| env.server_id().as_deref() == Some(id);
    envs.iter().filter(on).cloned().collect()
}

/// Waits until something holds that nobody tells.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_standing(pool: &Pool, id: &str, standing: Standing) {
    until(&format!("{id} is {standing:?}"), async || {
        let servers = pool.servers();
        let found = servers.iter().find(|server| server.server_id == id);
        found.is_some_and(|server| server.standing == standing)
    })
    .await;
}

async fn live_episodes(server: &Server) -> u32 {
    let info = server.env().await.server_info().await.unwrap();
    info.capacity.unwrap().episodes
}

async fn until_running(env: &PooledEnv) {
    until("the step runs", async || {
        env.state().await.unwrap().status() == v1::EpisodeStatus::Running
    })
    .await;
}

#[tokio::test]
async fn episodes_are_spread_over_servers_and_stay_there() {
    let servers = ["one", "two", "three"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let envs = reset(&pool, 9).await;
    assert_eq!(
        per_server(&envs),
        counts([("one", 3), ("two", 3), ("three", 3)])
    );

    let first = envs
        .iter()
        .enumerate()
        .map(|(at, env)| (env, format!("x = {at}")));
    for reply in pool.step_many(first).await {
        assert_eq!(reply.unwrap().exit_code(), 0);
    }
    let second = envs.iter().rev().map(|env| (env, "x"));
    for (reply, (at, env)) in pool
        .step_many(second)
        .await
        .into_iter()
        .zip(envs.iter().enumerate().rev())
    {
        let reply = reply.unwrap();
        assert_eq!(reply.result(), Some(at.to_string().as_str()));
        assert_eq!(Some(reply.server_id), env.server_id());
    }

    // The least loaded gets the next one.
    let ending = on(&envs, "two");
    for closed in pool.close_many(&ending[..2]).await {
        closed.unwrap();
    }
    assert_eq!(per_server(&reset(&pool, 2).await), counts([("two", 2)]));
}

#[tokio::test]
async fn one_connection_carries_hundreds_of_episodes_a_few_calls_at_a_time() {
    let servers = ["one", "two"].map(|id| server(id, &[]));
    let mut options = options(PATIENCE * 4);
    options.calls_max = 8;
    let pool = Pool::connect_with(urls(&servers.each_ref()), options)
        .await
        .unwrap();
    let envs = reset(&pool, 100).await;
    let codes = |env: usize| format!("print({env})");
    let actions = (0..300).map(|at| (&envs[at % 100], codes(at)));
    for (at, reply) in pool.step_many(actions).await.into_iter().enumerate() {
        let reply = reply.unwrap();
        assert_eq!(
            (reply.stdout(), reply.step_index as usize),
            (format!("{at}\n").as_str(), at / 100),
            "steps of one environment run in their order"
        );
    }
    for server in &servers {
        let port = server.address().rsplit_once(':').unwrap().1;
        let port = format!(":{:04X} ", port.parse::<u16>().unwrap());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let connected = table.lines().filter(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            format!("{} ", fields[1]).ends_with(&port) && fields[3] == "01"
        });
        assert_eq!(connected.count(), 1);
    }
    for result in pool.close_many(&envs).await {
        result.unwrap();
    }
    for server in &servers {
        assert_eq!(live_episodes(server).await, 0);
    }
}

#[tokio::test]
async fn results_come_as_they_are_ready_and_one_failure_is_its_own() {
    let server = server("one", &[]);
    let pool = pool_of(&[&server]).await;
    let envs = reset(&pool, 3).await;
    let lost = envs[1].step("import os; os._exit(3)").await.unwrap();
    assert!(lost.done);
    let never_reset = pool.env();
    let endless = "import time\nwhile True: time.sleep(0.01)";
    let actions = [
        (&envs[0], endless),
        (&envs[1], "1"),
        (&envs[2], "2"),
        (&never_reset, "3"),
    ];
    let mut steps = pool.steps(actions, StepOptions::default());
    let mut told = BTreeMap::new();
    for _ in 0..3 {
        let (at, result) = steps.next().await.unwrap();
        told.insert(at, result);
    }
    assert_eq!(
        told[&1].as_ref().unwrap_err().reason(),
        Some(&Reason::EpisodeLost)
    );
    assert_eq!(told[&2].as_ref().unwrap().result(), Some("2"));
    assert_eq!(told[&3].as_ref().unwrap_err(), &Error::NoEpisode);
    until("the interrupt hits", async || {
        envs[0].interrupt().await.unwrap()
    })
    .await;
    let (at, result) = steps.next().await.unwrap();
    assert_eq!(
        (at, result.unwrap().outcome()),
        (0, v1::Outcome::Interrupted)
    );
    assert!(steps.next().await.is_none());
}

#[tokio::test]
async fn a_full_server_sheds_to_others_and_when_all_are_full_it_waits() {
    let servers = [
        server("small", &["--max-episodes", "2"]),
        server("large", &["--max-episodes", "4"]),
    ];
    let pool = pool_of(&servers.each_ref()).await;
    let envs = reset(&pool, 6).await;
    assert_eq!(per_server(&envs), counts([("small", 2), ("large", 4)]));

    let hasty = Pool::connect_with(urls(&servers.each_ref()), options(Duration::from_secs(4)))
        .await
        .unwrap();
    let error = hasty.env().reset().await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::EpisodeLimit), "{error}");

    // Steps need no room.
    for reply in pool.step_many(envs.iter().map(|env| (env, "1"))).await {
        reply.unwrap();
    }
    // An episode that ends with the reset makes room for the next.
    for env in &envs {
        env.reset().await.unwrap();
    }
    // And one that waits gets the first place that is free.
    let waiting = pool.env();
    let (reset, closed) = tokio::join!(waiting.reset(), envs[0].close());
    closed.unwrap();
    reset.unwrap();
}

#[tokio::test]
async fn a_server_that_drains_keeps_its_episodes_and_gets_no_new_ones() {
    let mut servers = ["one", "two"].map(|id| server(id, &["--drain-timeout", "1h"]));
    let pool = pool_of(&servers.each_ref()).await;
    let envs = reset(&pool, 4).await;
    assert_eq!(per_server(&envs), counts([("one", 2), ("two", 2)]));
    servers[0].signal("TERM");
    servers[0].wait_for_log("draining");

    assert_eq!(per_server(&reset(&pool, 3).await), counts([("two", 3)]));
    until_standing(&pool, "one", Standing::NotReady).await;
    for reply in pool
        .step_many(envs.iter().map(|env| (env, "'lives'")))
        .await
    {
        assert_eq!(reply.unwrap().result(), Some("'lives'"));
    }
    // Each goes on elsewhere with its next episode, and the one before is ended, so that the server can go.
    for moved in pool.reset_all(&on(&envs, "one"), Default::default()).await {
        assert_eq!(moved.unwrap().server_id, "two");
    }
    assert_eq!(per_server(&envs), counts([("two", 4)]));
    let pid = servers[0].pid();
    until("the drained server has gone", async || !is_running(pid)).await;
    assert!(servers[0].wait().success());
}

#[tokio::test]
async fn episodes_of_a_killed_server_are_told_at_once_and_others_go_on() {
    let mut servers = ["one", "two"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let envs = reset(&pool, 4).await;
    let (lost, living) = (on(&envs, "one"), on(&envs, "two"));
    let running = tokio::spawn({
        let env = lost[0].clone();
        async move { env.step("import time\ntime.sleep(600)").await }
    });
    until_running(&lost[0]).await;
    servers[0].signal("KILL");

    // One that waits, one that comes later, and one more of the first.
    let mut errors = vec![running.await.unwrap().unwrap_err()];
    errors.push(lost[1].step("1").await.unwrap_err());
    errors.push(lost[0].state().await.unwrap_err());
    let ids = [0, 1, 0].map(|at| lost[at].episode_id().unwrap());
    for (error, id) in errors.iter().zip(ids) {
        assert_eq!(error.reason(), Some(&Reason::EpisodeServerGone), "{error}");
        let Error::Refused(refusal) = error else {
            panic!("{error}");
        };
        assert_eq!(refusal.metadata["episode_id"], id);
        assert!(refusal.message.contains(servers[0].address()), "{error}");
    }
    for reply in pool
        .step_many(living.iter().map(|env| (env, "1 + 1")))
        .await
    {
        assert_eq!(reply.unwrap().result(), Some("2"));
    }
    for reset in pool.reset_all(&lost, Default::default()).await {
        assert_eq!(reset.unwrap().server_id, "two");
    }
    assert_eq!(live_episodes(&servers[1]).await, 4);
    for closed in pool.close_many(&envs).await {
        closed.unwrap();
    }
    assert_eq!(live_episodes(&servers[1]).await, 0);
    servers[0].wait();
}

#[tokio::test]
async fn closing_an_episode_of_a_lost_server_is_no_error() {
    let mut servers = ["one", "two"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let envs = reset(&pool, 2).await;
    servers[0].signal("KILL");
    servers[0].wait();
    for closed in pool.close_many(&envs).await {
        closed.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_after_a_while() {
    let server = server("one", &[]);
    let mut options = options(PATIENCE * 2);
    options.lost_after = Duration::from_secs(5);
    options.refresh_period = Duration::from_millis(500);
    let pool = Pool::connect_with(server.url(), options).await.unwrap();
    let env = pool.env();
    env.reset().await.unwrap();
    let running = tokio::spawn({
        let env = env.clone();
        async move { env.step("import time\ntime.sleep(600)").await }
    });
    until_running(&env).await;
    server.signal("STOP");
    let error = running.await.unwrap().unwrap_err();
    server.signal("CONT");
    assert_eq!(error.reason(), Some(&Reason::EpisodeServerGone), "{error}");
    assert!(error.to_string().contains("no answer for 5s"), "{error}");
    // It answers again, so it gets new episodes; and the one that was given up is ended.
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    until("nothing is left over", async || {
        live_episodes(&server).await == 1
    })
    .await;
}

#[tokio::test]
async fn a_close_ends_a_step_that_runs() {
    let server = server("one", &[]);
    let pool = pool_of(&[&server]).await;
    let envs = reset(&pool, 2).await;
    let endless = "import time\nwhile True: time.sleep(0.01)";
    let mut steps = pool.steps(
        envs.iter().map(|env| (env, endless)),
        StepOptions::default(),
    );
    for env in &envs {
        until_running(env).await;
    }
    envs[0].close().await.unwrap();
    let (at, result) = steps.next().await.unwrap();
    let error = result.unwrap_err();
    assert_eq!((at, error.reason()), (0, Some(&Reason::EpisodeEnded)));
    for closed in pool.close_many(&envs).await {
        closed.unwrap();
    }
    assert_eq!(live_episodes(&server).await, 0);
    assert_eq!(envs[0].step("1").await.unwrap_err(), Error::NoEpisode);
}

#[tokio::test]
async fn servers_come_and_go() {
    let servers = ["one", "two"].map(|id| server(id, &[]));
    let (list, target) = watch::channel(urls(&[&servers[0]]));
    let pool = Pool::connect(target).await.unwrap();
    let old = reset(&pool, 2).await;
    assert_eq!(per_server(&old), counts([("one", 2)]));

    list.send_replace(urls(&servers.each_ref()));
    until_standing(&pool, "two", Standing::Ready).await;
    assert_eq!(per_server(&reset(&pool, 2).await), counts([("two", 2)]));

    // One that is not listed any more keeps its episodes.
    list.send_replace(urls(&[&servers[1]]));
    until("the next look", async || {
        per_server(&reset(&pool, 2).await) == counts([("two", 2)])
    })
    .await;
    for reply in pool.step_many(old.iter().map(|env| (env, "1"))).await {
        assert_eq!(reply.unwrap().server_id, "one");
    }
    for closed in pool.close_many(&old).await {
        closed.unwrap();
    }
    list.send_modify(|_| {});
    until("it is forgotten", async || pool.servers().len() == 1).await;
}

#[tokio::test]
async fn a_server_that_is_listed_twice_is_one() {
    let server = server("one", &[]);
    let other = server.url().replace("127.0.0.1", "localhost");
    let pool = Pool::connect([server.url(), other]).await.unwrap();
    let envs = reset(&pool, 4).await;
    let loads: Vec<u32> = pool
        .servers()
        .iter()
        .map(|server| server.episodes)
        .collect();
    assert!(loads == [4, 0] || loads == [0, 4], "{loads:?}");
    assert_eq!(envs.len(), 4);
}

#[tokio::test]
async fn a_name_is_resolved() {
    let server = server("one", &[]);
    let port = server.address().rsplit_once(':').unwrap().1;
    for name in [
        format!("dns:///localhost:{port}"),
        format!("dns:127.0.0.1:{port}"),
    ] {
        let pool = Pool::connect(name).await.unwrap();
        let env = pool.env();
        env.reset().await.unwrap();
        assert_eq!(env.server_id().as_deref(), Some("one"));
        env.close().await.unwrap();
    }
}

#[tokio::test]
async fn episodes_of_dropped_environments_are_ended() {
    let server = server("one", &[]);
    let pool = pool_of(&[&server]).await;
    let envs = reset(&pool, 5).await;
    assert_eq!(live_episodes(&server).await, 5);
    drop((envs, pool));
    until("they are ended", async || live_episodes(&server).await == 0).await;
}

#[tokio::test]
async fn a_refused_reset_leaves_the_episode_as_it_was() {
    let servers = ["one", "two"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let env = pool.env();
    env.reset().await.unwrap();
    env.step("x = 'kept'").await.unwrap();
    let mut wrong = coding_env::client::ResetOptions::default();
    wrong.runtime = "none-such".to_owned();
    let error = env.reset_with(wrong).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::InvalidField));
    assert_eq!(env.step("x").await.unwrap().result(), Some("'kept'"));
}

#[tokio::test]
async fn what_can_never_work_is_told_at_once() {
    assert!(matches!(
        Pool::connect("ftp://127.0.0.1:8000").await,
        Err(Error::Url(_))
    ));
    assert!(matches!(
        Pool::connect("dns:///none").await,
        Err(Error::Url(_))
    ));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let nobody = Pool::connect_with(url, options(Duration::from_secs(1))).await;
    let error = nobody.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error}");
    assert!(error.to_string().contains("none of 1 servers"), "{error}");

    let home = tempfile::tempdir().unwrap();
    let tokens = home.path().join("tokens");
    std::fs::write(&tokens, format!("trainer {}\n", "a".repeat(32))).unwrap();
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    let server = server("one", &["--tokens-file", tokens.to_str().unwrap()]);
    let error = Pool::connect(server.url()).await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::TokenInvalid), "{error}");
    let mut options = PoolOptions::default();
    options.client = Options::default();
    options.client.token = Some(Token::new(&"a".repeat(32)).unwrap());
    let pool = Pool::connect_with(server.url(), options).await.unwrap();
    assert_eq!(
        reset(&pool, 1).await[0].step("1").await.unwrap().result(),
        Some("1")
    );
}

// === over sessions ===

/// A number that the server tells of itself.
fn sample(server: &Server, name: &str) -> f64 {
    let admin = field(&server.wait_for_log("\"message\":\"admin\""), "address");
    crate::metrics::sample(&crate::metrics::metrics(&admin), name)
}

const ATTACHED: &str = "coding_env_sessions{stream=\"attached\"}";
const OPENED: &str = "coding_env_session_streams_total{how=\"opened\"}";
const TAKEN_OVER: &str = "coding_env_session_streams_total{how=\"taken_over\"}";
const WITH_ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

#[tokio::test]
async fn resets_and_steps_go_over_a_few_sessions_that_end_with_the_pool() {
    for (streams, flags, expected) in [
        (3, vec![], 3.0),
        // A call of its own for each, as asked for or because the server holds no more sessions.
        (0, vec![], 0.0),
        (3, vec!["--max-sessions", "1"], 1.0),
    ] {
        let server = server("one", &[WITH_ADMIN.to_vec(), flags].concat());
        let mut options = options(PATIENCE * 2);
        options.sessions_per_server = streams;
        let pool = Pool::connect_with(server.url(), options).await.unwrap();
        let envs = reset(&pool, 12).await;
        for round in 0..2 {
            let replies = pool.step_many(envs.iter().map(|env| (env, "1"))).await;
            for reply in replies {
                assert_eq!(reply.unwrap().step_index, round);
            }
        }
        assert_eq!(sample(&server, ATTACHED), expected);
        assert_eq!(sample(&server, OPENED), expected);
        drop((envs, pool));
        until("they are closed", async || {
            sample(&server, "coding_env_sessions_ended_total{how=\"closed\"}") == expected
        })
        .await;
        until("nothing is left", async || {
            live_episodes(&server).await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_client_that_was_killed_held_ends_after_the_grace() {
    let server = server("one", &["--session-grace", "100ms"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = server.url();
    let running = runtime.spawn(async move {
        let pool = Pool::connect(url).await.unwrap();
        let envs = reset(&pool, 3).await;
        (pool, envs)
    });
    let held = running.await.unwrap();
    assert_eq!(live_episodes(&server).await, 3);
    // Its connections break without a word, and nothing of it runs any more.
    runtime.shutdown_background();
    until("they are ended", async || live_episodes(&server).await == 0).await;
    drop(held);
}

#[tokio::test]
async fn a_reset_and_a_close_wait_for_no_step_that_was_given_up() {
    let server = server("one", &[]);
    let pool = pool_of(&[&server]).await;
    let endless = "import time\nwhile True: time.sleep(0.01)";
    let env = pool.env();
    for closes in [false, true, false] {
        env.reset().await.unwrap();
        let step = tokio::spawn({
            let env = env.clone();
            let mut options = StepOptions::default();
            options.timeout = Some(Duration::from_secs(600));
            async move { env.step_with(endless, options).await }
        });
        until_running(&env).await;
        step.abort();
        assert!(step.await.unwrap_err().is_cancelled());
        if closes {
            env.close().await.unwrap();
        }
    }
    env.reset().await.unwrap();
    assert_eq!(env.step("6 * 7").await.unwrap().result(), Some("42"));
    assert_eq!(live_episodes(&server).await, 1);
}

#[tokio::test]
async fn a_reset_that_was_given_up_leaves_nothing_over() {
    let server = server("one", &WITH_ADMIN);
    let mut options = options(PATIENCE * 2);
    options.lost_after = PATIENCE * 2;
    let pool = Pool::connect_with(server.url(), options).await.unwrap();
    // The session is there.
    let first = reset(&pool, 4).await;
    server.signal("STOP");
    let given_up = tokio::time::timeout(Duration::from_millis(500), pool.reset_many(20)).await;
    server.signal("CONT");
    given_up.unwrap_err();
    // Those that are made after all, beside the canary and the first, are ended.
    until("one is made", async || {
        sample(&server, "coding_env_resets_total") > 5.5
    })
    .await;
    until("they are ended", async || {
        sample(&server, "coding_env_session_requests_running") < 0.5
            && live_episodes(&server).await == 4
    })
    .await;
    for reply in pool.step_many(first.iter().map(|env| (env, "1"))).await {
        reply.unwrap();
    }
}

#[tokio::test]
async fn a_step_without_a_timeout_ends_before_the_clients_deadline() {
    let server = server("one", &[]);
    let pool = Pool::connect_with(server.url(), options(Duration::from_secs(8)))
        .await
        .unwrap();
    let env = pool.env();
    env.reset().await.unwrap();
    let reply = env.step("import time\nwhile True: time.sleep(0.01)").await;
    assert_eq!(reply.unwrap().outcome(), v1::Outcome::TimedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_nothing() {
    const EPISODES: usize = 8;
    const STEPS: usize = 25;
    let server = server("one", &WITH_ADMIN);
    let count = AtomicU64::new(0);
    // Different lengths, and none of the connections lasts.
    let after = move || 2000 + count.fetch_add(1, Ordering::Relaxed) * 7919 % 9000;
    let cuts = Arc::new(AtomicU64::new(0));
    let proxy = cutting_proxy(server.address().to_owned(), after, Arc::clone(&cuts)).await;
    let mut options = options(PATIENCE * 4);
    options.client.retry_first = Duration::from_millis(1);
    options.client.retry_max = Duration::from_millis(50);
    let pool = Pool::connect_with(format!("http://{proxy}"), options)
        .await
        .unwrap();
    let envs = reset(&pool, EPISODES).await;
    let code = "log = globals().get('log', [])\nlog.append(len(log))\nlog";
    for step in 0..STEPS {
        let expected = format!("{:?}", (0..=step).collect::<Vec<_>>());
        for reply in pool.step_many(envs.iter().map(|env| (env, code))).await {
            assert_eq!(reply.unwrap().result(), Some(expected.as_str()));
        }
    }
    assert!(cuts.load(Ordering::Relaxed) > 3, "nothing was cut");
    assert!(sample(&server, TAKEN_OVER) > 3.0);
    drop((envs, pool));
    until("nothing is left", async || {
        live_episodes(&server).await == 0
    })
    .await;
}

// === vector environments ===

#[tokio::test]
async fn a_vector_environment_steps_all_and_tells_each() {
    let servers = ["one", "two"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let envs = VectorEnv::new(&pool, 6, VectorOptions::default());
    let draw = vec![Some("import random\nrandom.random()"); 6];
    let mut draws = Vec::new();
    for _ in 0..2 {
        for reset in envs.reset_with((0..6).map(Some)).await.unwrap() {
            assert_eq!(reset.unwrap().state.unwrap().step_count, 0);
        }
        let steps = envs.step(draw.clone()).await.unwrap();
        let of = |step: &coding_env::client::pool::VectorStep| {
            step.observation().unwrap().result.clone().unwrap()
        };
        draws.push(steps.iter().map(of).collect::<Vec<_>>());
    }
    assert_eq!(draws[0], draws[1]);
    let distinct: std::collections::BTreeSet<_> = draws[0].iter().collect();
    assert_eq!(distinct.len(), 6, "each has a seed of its own");

    let some = (0..6).map(|at| (at % 2 == 1).then(|| at.to_string()));
    let steps = envs.step(some).await.unwrap();
    for (at, step) in steps.iter().enumerate() {
        let result = step.observation().map(|shown| shown.result());
        let expected = (at % 2 == 1).then(|| at.to_string());
        assert_eq!(result, expected.as_deref());
        assert_eq!(step.reward().is_some(), at % 2 == 1);
        assert!(!step.done() && step.error.is_none() && step.reset.is_none());
    }
    let error = envs.step(vec![Some("1"); 5]).await.unwrap_err();
    assert!(error.to_string().starts_with("5 actions for 6"), "{error}");
    let error = envs.reset_with([Some(1)]).await.unwrap_err();
    assert!(error.to_string().starts_with("1 seeds for 6"), "{error}");
    for closed in envs.close().await {
        closed.unwrap();
    }
    for step in envs.step(vec![Some("1"); 6]).await.unwrap() {
        assert_eq!(step.error, Some(Error::NoEpisode));
        assert!(!step.done());
    }
}

#[tokio::test]
async fn a_vector_environment_replaces_what_is_lost_and_tells() {
    let mut servers = ["one", "two"].map(|id| server(id, &[]));
    let pool = pool_of(&servers.each_ref()).await;
    let mut options = VectorOptions::default();
    options.autoreset = true;
    let envs = VectorEnv::new(&pool, 4, options);
    for reset in envs.reset().await {
        reset.unwrap();
    }
    let before: Vec<_> = envs.envs().iter().map(PooledEnv::episode_id).collect();
    let actions = [
        Some("import os; os._exit(1)"),
        Some("x = 1"),
        None,
        Some("1 / 0"),
    ];
    let steps = envs.step(actions).await.unwrap();
    assert!(steps[0].done());
    assert_eq!(steps[0].observation().unwrap().exit_code, 1);
    let fresh = steps[0].reset.clone().unwrap().unwrap().state.unwrap();
    assert_eq!(envs.envs()[0].episode_id(), Some(fresh.episode_id.clone()));
    assert_ne!(before[0], Some(fresh.episode_id));
    for step in &steps[1..] {
        assert!(!step.done() && step.reset.is_none(), "{step:?}");
    }
    assert!(steps[2].result.is_none() && steps[3].observation().is_some());

    // Those of a server that is gone are replaced on the other.
    let gone: Vec<bool> = envs
        .envs()
        .iter()
        .map(|env| env.server_id().as_deref() == Some("one"))
        .collect();
    assert!(gone.contains(&true) && gone.contains(&false));
    servers[0].signal("KILL");
    servers[0].wait();
    let steps = envs.step(vec![Some("6 * 7"); 4]).await.unwrap();
    for (step, gone) in steps.iter().zip(gone) {
        assert_eq!(step.done(), gone);
        if gone {
            let error = step.error.as_ref().unwrap();
            assert_eq!(error.reason(), Some(&Reason::EpisodeServerGone), "{error}");
            let reset = step.reset.as_ref().unwrap().as_ref().unwrap();
            assert_eq!(reset.server_id, "two");
        } else {
            assert_eq!(step.observation().unwrap().result(), "42");
        }
    }
    for step in envs.step(vec![Some("1"); 4]).await.unwrap() {
        assert_eq!(step.observation().unwrap().result(), "1");
    }
}

#[tokio::test]
async fn a_vector_environment_without_autoreset_leaves_what_is_lost() {
    let server = server("one", &[]);
    let pool = pool_of(&[&server]).await;
    let envs = VectorEnv::new(&pool, 2, VectorOptions::default());
    envs.reset().await;
    let steps = envs.step([Some("import os; os._exit(1)"), Some("1")]).await;
    let steps = steps.unwrap();
    assert!(steps[0].done() && steps[0].reset.is_none() && !steps[1].done());
    let steps = envs.step([Some("1"), Some("2")]).await.unwrap();
    let error = steps[0].error.as_ref().unwrap();
    assert_eq!(error.reason(), Some(&Reason::EpisodeLost));
    assert!(steps[0].done() && steps[0].reset.is_none());
    assert_eq!(steps[1].observation().unwrap().result(), "2");
}
