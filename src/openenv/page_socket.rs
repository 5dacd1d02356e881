//! The page's socket: one episode at a time, which ends with it. Frames are JSON objects, described in `web/src/wire.ts`, the other end.
//!
//! A browser can't set headers of a WebSocket, so the page sends its token among the protocols that it offers (RFC 6455, section 1.9).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::OpenEnv;
use super::socket::{Came, End, Socket};
use crate::episode::{
    Event, Following, NewEpisode, NewStep, Owner, Place, Refusal, StepAnswer, StepReply, Texts,
};
use crate::executor::{Display, OutputStream};
use crate::sandbox::plan::Level;

/// Of the protocols that the page offers, the one that is spoken.
pub(super) const PROTOCOL: &str = "coding-env";
/// Before the token, which is in base64 with the letters of URLs.
const TOKEN_PREFIX: &str = "coding-env.token.";

/// The token among the protocols that a socket's request offers, as the header that other requests have.
pub(super) fn authorization(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let mut offered = offered.split(',').map(str::trim);
    let token = offered.find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX))?;
    let token = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    HeaderValue::from_bytes(&[b"Bearer ", token.as_slice()].concat()).ok()
}

/// What the page asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Asked {
    Reset { id: u64 },
    Run { id: u64, code: String },
    Interrupt,
}

/// Speaks with the page until the end.
pub(super) async fn converse(openenv: &OpenEnv, socket: &mut Socket, owner: &Owner) -> End {
    let place = match openenv.episodes.hold_place() {
        Ok(place) => place,
        Err(refusal) => {
            let _told: bool = socket.send(refused(None, &refusal)).await;
            return End::Normal;
        }
    };
    if !socket.send(welcome(openenv)).await {
        return End::Gone;
    }
    loop {
        let came = match socket.take_waiting() {
            Some(frame) => Came::Frame(frame),
            None => tokio::select! {
                came = socket.receive() => came,
                () = openenv.closing.cancelled() => return End::Away,
            },
        };
        let frame = match came {
            Came::Frame(frame) => frame,
            Came::End(end) => return end,
        };
        let reply = match asked(&frame) {
            Ok(Asked::Interrupt) => continue, // nothing runs
            Ok(Asked::Reset { id }) => {
                let new = new_episode(openenv, owner);
                // A step that runs in the episode before ends with it.
                match place.reset(new).await {
                    Ok(started) => json!({
                        "type": "reset",
                        "id": id,
                        "state": state(&started.id, 0, 0),
                    })
                    .to_string(),
                    Err(refusal) => refused(Some(id), &refusal),
                }
            }
            Ok(Asked::Run { id, code }) => {
                match run(openenv, socket, &place, owner, id, code).await {
                    Ok(reply) => reply,
                    Err(end) => return end,
                }
            }
            Err(why) => {
                json!({"type": "refused", "id": null, "reason": "INVALID_FIELD", "message": why})
                    .to_string()
            }
        };
        if !socket.send(reply).await {
            return End::Gone;
        }
    }
}

/// Runs a step, and sends what it prints. Returns the last frame, or how the socket has ended meanwhile.
async fn run(
    openenv: &OpenEnv,
    socket: &mut Socket,
    place: &Place,
    owner: &Owner,
    id: u64,
    code: String,
) -> Result<String, End> {
    let began = begin(openenv, place, owner, code).await;
    let (episode, mut following) = match began {
        Ok(began) => began,
        Err(refusal) => return Ok(refused(Some(id), &refusal)),
    };
    loop {
        tokio::select! {
            event = following.next() => match event {
                Event::Piece(piece) => {
                    let stream = match piece.stream {
                        OutputStream::Stdout => "stdout",
                        OutputStream::Stderr => "stderr",
                    };
                    let frame = json!({
                        "type": "piece",
                        "id": id,
                        "stream": stream,
                        "data": BASE64_STANDARD.encode(&piece.bytes),
                        "dropped_bytes": piece.dropped_bytes,
                    });
                    if !socket.send(frame.to_string()).await {
                        return Err(End::Gone);
                    }
                }
                Event::End(Ok(answer)) => return Ok(reply(id, &episode, answer)),
                Event::End(Err(refusal)) => return Ok(refused(Some(id), &refusal)),
            },
            came = socket.receive(), if socket.has_room() => match came {
                Came::Frame(frame) => match asked(&frame) {
                    // Whether it hit something the reply tells.
                    Ok(Asked::Interrupt) => drop(place.interrupt()),
                    Ok(Asked::Reset { .. }) => {
                        // The page wants none of what still runs.
                        drop(place.interrupt());
                        socket.wait(frame);
                    }
                    _ => socket.wait(frame),
                },
                Came::End(end) => return Err(end),
            },
            () = openenv.closing.cancelled() => return Err(End::Away),
        }
    }
}

/// Starts a step, in an episode that is made for it where there is none.
async fn begin(
    openenv: &OpenEnv,
    place: &Place,
    owner: &Owner,
    code: String,
) -> Result<(String, Following), Refusal> {
    if !place.has_episode() {
        place.reset(new_episode(openenv, owner)).await?;
    }
    let following = place.step_stream(NewStep::plain(code)).await?;
    Ok((place.episode_id().unwrap_or_default(), following))
}

fn new_episode(openenv: &OpenEnv, owner: &Owner) -> NewEpisode {
    NewEpisode::plain(owner.clone(), openenv.profile.limits())
}

fn asked(frame: &Message) -> Result<Asked, String> {
    match frame {
        Message::Text(text) => {
            serde_json::from_str(text.as_str()).map_err(|error| error.to_string())
        }
        _ => Err("a frame has to be text".to_owned()),
    }
}

fn welcome(openenv: &OpenEnv) -> String {
    let runtimes = openenv.executor.runtimes();
    let python = runtimes.first().map(|runtime| &runtime.python_version);
    let level = match openenv.executor.plan().level {
        Level::None => "none",
        Level::Landlock => "landlock",
        Level::Namespace => "namespace",
    };
    json!({
        "type": "welcome",
        "version": env!("CARGO_PKG_VERSION"),
        "server_id": openenv.server_id,
        "python": python,
        "isolation": level,
    })
    .to_string()
}

fn refused(id: Option<u64>, refusal: &Refusal) -> String {
    let reason = match refusal {
        Refusal::Lost { .. } => "EPISODE_LOST",
        Refusal::EpisodeLimit { .. } => "EPISODE_LIMIT",
        _ => "REFUSED",
    };
    let message = refusal.to_string();
    json!({"type": "refused", "id": id, "reason": reason, "message": message}).to_string()
}

fn state(episode: &str, step_count: u32, last_exit_code: i32) -> Value {
    json!({"episode_id": episode, "step_count": step_count, "last_exit_code": last_exit_code})
}

fn reply(id: u64, episode: &str, answer: StepAnswer) -> String {
    let facts: &StepReply = answer.reply.facts();
    let texts = answer.texts.unwrap_or_default();
    let Texts {
        stdout,
        stderr,
        result,
        displays,
        ..
    } = &*texts;
    let displays: Vec<Value> = displays.iter().map(display).collect();
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let cpu = facts.usage.cpu.map(|cpu| millis(cpu.user + cpu.system));
    let state_after = facts.state_after();
    json!({
        "type": "reply",
        "id": id,
        "reply": {
            "stdout": stdout,
            "stderr": stderr,
            "result": result,
            "exit_code": facts.exit_code,
            "outcome": facts.outcome.name(),
            "state_after": state_after,
            "reward": facts.reward,
            "done": facts.lost,
            "metadata": facts.metadata,
            "displays": displays,
            "state": state(episode, facts.step_count, facts.exit_code),
            "wall_ms": millis(facts.wall_time),
            "cpu_ms": cpu,
            "peak_memory_bytes": facts.usage.memory.map(|memory| memory.peak_bytes),
            "stdout_truncated": facts.stdout.truncated,
            "stderr_truncated": facts.stderr.truncated,
        },
    })
    .to_string()
}

fn display(display: &Display) -> Value {
    let representations = display.representations.iter().map(|one| {
        let path = Some(&one.file_path).filter(|path| !path.is_empty());
        json!({
            "mime_type": one.mime_type,
            "data": BASE64_STANDARD.encode(&one.data),
            "total_bytes": one.total_bytes,
            "path": path,
        })
    });
    json!({"representations": representations.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_among_the_protocols() {
        let with = |offered: &'static str| {
            let mut headers = HeaderMap::new();
            let offered = HeaderValue::from_static(offered);
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, offered);
            authorization(&headers)
        };
        let token = HeaderValue::from_static("Bearer s3cret");
        assert_eq!(with("coding-env, coding-env.token.czNjcmV0"), Some(token));
        for none in [
            "coding-env",
            "coding-env.token.!",
            "",
            "coding-env.token.Cg",
        ] {
            assert_eq!(with(none), None, "{none}");
        }
        assert_eq!(authorization(&HeaderMap::new()), None);
    }

    #[test]
    fn only_what_the_page_asks_for_is_taken() {
        let text = |text: &str| asked(&Message::text(text));
        assert!(matches!(
            text(r#"{"type":"run","id":1,"code":"x"}"#),
            Ok(Asked::Run { id: 1, .. })
        ));
        assert!(matches!(
            text(r#"{"type":"reset","id":2}"#),
            Ok(Asked::Reset { id: 2 })
        ));
        assert!(matches!(
            text(r#"{"type":"interrupt"}"#),
            Ok(Asked::Interrupt)
        ));
        for other in [
            "",
            "1",
            "{}",
            r#"{"type":"run"}"#,
            r#"{"type":"x"}"#,
            r#"{"type":"reset","id":-1}"#,
        ] {
            text(other).expect_err(other);
        }
        asked(&Message::binary(vec![1])).unwrap_err();
    }
}
