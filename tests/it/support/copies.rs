//! Servers whose episodes can be copied, and what is asked of them.

use coding_env::client::CodingEnv;
use coding_env::proto::v1;

use super::places::{Place, is_named};
use super::{Server, may_lack};

/// The level that [`copying`] uses instead of the strongest, as [`each_level`] calls it.
const LEVEL_VARIABLE: &str = "CODING_ENV_TEST_COPIES";

/// Starts a server whose episodes can be copied: at the level that `CODING_ENV_TEST_COPIES` names, which then has to be there; or at the strongest that this host gives, or else at
/// none. None: this host can't do that, which was said.
pub(crate) async fn copying(flags: &[&str]) -> Option<Server> {
    if let Ok(level) = std::env::var(LEVEL_VARIABLE) {
        let server = place(&level).start(flags);
        let server = server.unwrap_or_else(|why| panic!("{LEVEL_VARIABLE}: {level}: {why}"));
        let copies = can_copy(&server).await;
        assert!(copies, "{LEVEL_VARIABLE}: {level} copies no episodes");
        return Some(server);
    }
    let server = Server::start(flags);
    if can_copy(&server).await {
        return Some(server);
    }
    drop(server);
    let server = Server::start_open(flags);
    can_copy(&server).await.then_some(server)
}

/// Whether a server can copy episodes. Where it can't, that is said, and has to be told in words.
pub(crate) async fn can_copy(server: &Server) -> bool {
    let info = server.env().await.server_info().await.unwrap();
    let facts = info.fork.unwrap();
    if !facts.available {
        assert!(!facts.detail.is_empty(), "{facts:?}");
        eprintln!("{}", facts.detail);
        may_lack("copies of episodes");
    }
    facts.available
}

/// What the levels are called where the server is no root, and its episodes have no uids of their own.
const WITHOUT_UIDS: &str = " without uids";

/// Whether copies have uids of their own at a level as [`each_level`] calls it.
pub(crate) fn has_uids(level: &str) -> bool {
    level != "none" && !level.ends_with(WITHOUT_UIDS)
}

/// The place that gives a level as [`each_level`] calls it.
fn place(level: &str) -> Place {
    match level.strip_suffix(WITHOUT_UIDS) {
        Some(level) => Place::as_a_user(level),
        None => Place::of_level(level),
    }
}

/// Whether the server has to tell that its branches can't signal one another.
pub(crate) fn keeps_signals_apart(level: &str) -> bool {
    has_uids(level) || level.starts_with("landlock")
}

/// Servers of every level that this machine gives and that copies episodes. A full host copies them at every level, and so does one
/// of which that was said (`CODING_ENV_TEST_PLACES`).
pub(crate) async fn each_level(part: impl AsyncFn(&mut Server, &str)) {
    each_level_with(&[], part).await;
}

/// The same, with flags.
pub(crate) async fn each_level_with(flags: &[&str], part: impl AsyncFn(&mut Server, &str)) {
    for level in [
        "none",
        "landlock",
        "landlock without uids",
        "namespace",
        "namespace without uids",
    ] {
        let place = place(level);
        if level != "none" && has_uids(level) && !place.as_root {
            continue; // the same as without uids
        }
        let has_to_copy = is_named(place);
        let Ok(mut server) = place.start(flags) else {
            eprintln!("level {level} is not possible here");
            assert!(!has_to_copy, "level {level} has to be there");
            may_lack("copies of episodes");
            continue;
        };
        eprintln!("{level}:");
        if can_copy(&server).await {
            part(&mut server, level).await;
        } else {
            assert!(!has_to_copy, "level {level} has to copy episodes");
        }
    }
}

/// An episode in which this has run.
pub(crate) async fn prepared(server: &Server, code: &str) -> CodingEnv {
    let mut env = server.env().await;
    env.reset().await.unwrap();
    run(&mut env, code).await;
    env
}

/// Runs code that has to come to its end, and returns its result.
pub(crate) async fn run(env: &mut CodingEnv, code: &str) -> String {
    let reply = env.step(code).await.unwrap();
    assert_eq!(
        reply.outcome(),
        v1::Outcome::Completed,
        "{code}\n{}",
        reply.stderr()
    );
    reply.result().unwrap_or_default().to_owned()
}
