//! A stream of a session: its requests are read by one task, its responses made when the client has room for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tonic::{Status, Streaming};

use super::{Attached, Session, Sessions, requests};
use crate::episode::{Owner, Refusal};
use crate::proto::v1::{
    self, SessionRequest, SessionResponse, session_request::Request as Asked,
    session_response::Response,
};
use crate::service::Service;
use crate::status::{self, Violations};
use crate::stream;

/// How long a stream may take to open its session.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// A stream that is attached.
struct Open {
    session: Arc<Session>,
    number: u64,
    pieces: mpsc::Receiver<SessionResponse>,
    /// The first response.
    opened: Option<Box<SessionResponse>>,
    /// An answer that comes next, and after how many pieces.
    answer: Option<(SessionResponse, usize)>,
}

impl Open {
    /// What can be sent now.
    fn ready(&mut self) -> Option<SessionResponse> {
        if self.answer.is_none() {
            // Output comes before the end of its step: all of it waits here by the time that there is the answer.
            let answer = self.session.next(self.number);
            self.answer = answer.map(|answer| (answer, self.pieces.len()));
        }
        let goes_first = match &mut self.answer {
            None => true,
            Some((_, pieces)) => std::mem::replace(pieces, pieces.saturating_sub(1)) > 0,
        };
        if goes_first && let Ok(piece) = self.pieces.try_recv() {
            return Some(piece);
        }
        self.answer.take().map(|(answer, _)| answer)
    }
}

pub(super) fn serve(
    sessions: Sessions,
    service: Service,
    owner: Owner,
    requests: Streaming<SessionRequest>,
) -> stream::Responses<SessionResponse> {
    let (opening, opened) = oneshot::channel();
    tokio::spawn(read(
        sessions.clone(),
        service.clone(),
        owner,
        requests,
        opening,
    ));
    let writer = Writer {
        sessions,
        service,
        state: Writing::Opening(opened),
    };
    stream::responses(writer, |mut writer| async move {
        match writer.next().await {
            Ok(Some(response)) => (Some(Ok(response)), Some(writer)),
            Ok(None) => (None, None),
            Err(status) => (Some(Err(status)), None),
        }
    })
}

/// Makes the responses. Dropped when its stream breaks, or is done.
struct Writer {
    sessions: Sessions,
    service: Service,
    state: Writing,
}

enum Writing {
    Opening(oneshot::Receiver<Result<Open, Status>>),
    /// On the heap, because the writer is handed on with each response.
    Open(Box<Open>),
}

impl Drop for Writer {
    fn drop(&mut self) {
        let open = match &mut self.state {
            Writing::Open(open) => Some((&open.session, open.number)),
            Writing::Opening(_) => None,
        };
        if let Some((session, number)) = open {
            self.sessions.detach(self.service.clone(), session, number);
        }
    }
}

impl Writer {
    /// The next response. None when the session is done.
    async fn next(&mut self) -> Result<Option<SessionResponse>, Status> {
        let closing = self.sessions.0.closing.clone();
        let open = match &mut self.state {
            Writing::Open(open) => open,
            Writing::Opening(opened) => {
                let Ok(opened) = opened.await else {
                    return Ok(None); // it was closed before it was opened
                };
                let refused = async { opened };
                let open = self.service.guard(refused).await?;
                self.state = Writing::Open(Box::new(open));
                match &mut self.state {
                    Writing::Open(open) => open,
                    Writing::Opening(_) => return Ok(None),
                }
            }
        };
        if let Some(opened) = open.opened.take() {
            return Ok(Some(*opened));
        }
        if let Some(response) = open.ready() {
            return Ok(Some(response));
        }
        let session = Arc::clone(&open.session);
        loop {
            let answered = session.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            if !session.is_attached(open.number) {
                return Err(status::session_taken_over(&session.key.id));
            }
            if let Some(response) = open.ready() {
                return Ok(Some(response));
            }
            if session.is_done() {
                return Ok(None);
            }
            tokio::select! {
                () = &mut answered => {}
                piece = open.pieces.recv() => match piece {
                    Some(piece) => return Ok(Some(piece)),
                    // Another stream has taken over, or the client broke this one off.
                    None if session.is_attached(open.number) => return Ok(None),
                    None => {}
                },
                () = closing.cancelled() => return Err(Refusal::ShuttingDown.into()),
            }
        }
    }
}

/// Reads requests until the client half-closes, or the stream breaks.
async fn read(
    sessions: Sessions,
    service: Service,
    owner: Owner,
    mut requests: Streaming<SessionRequest>,
    opening: oneshot::Sender<Result<Open, Status>>,
) {
    let (session, number) = match opened(&sessions, &service, &owner, &mut requests).await {
        Ok(Some(open)) => {
            let attached = (Arc::clone(&open.session), open.number);
            if let Err(Ok(open)) = opening.send(Ok(open)) {
                sessions.detach(service, &open.session, open.number);
                return;
            }
            attached
        }
        Ok(None) => return,
        Err(status) => {
            // Nobody is told when the stream has gone.
            drop(opening.send(Err(status)));
            return;
        }
    };
    let requests_max = sessions.0.requests_max;
    loop {
        match requests.message().await {
            Ok(Some(SessionRequest {
                id,
                received,
                request,
            })) => {
                if !session.is_attached(number) {
                    return;
                }
                session.acknowledge(received);
                let Some(asked) = request else {
                    continue;
                };
                session.has_room(requests_max).await;
                requests::begin(&service, &session, id, asked);
                if !session.is_attached(number) {
                    return;
                }
            }
            Ok(None) => {
                if session.is_attached(number) {
                    sessions.close(&service, &session).await;
                }
                return;
            }
            Err(_) => {
                sessions.detach(service, &session, number);
                return;
            }
        }
    }
}

/// Opens the session that the first request names. None when the client has gone.
async fn opened(
    sessions: &Sessions,
    service: &Service,
    owner: &Owner,
    requests: &mut Streaming<SessionRequest>,
) -> Result<Option<Open>, Status> {
    let first = tokio::time::timeout(OPEN_WITHIN, requests.message()).await;
    let Ok(Some(first)) = first.map_err(|_| Status::from(Refusal::Deadline))? else {
        return Ok(None);
    };
    let SessionRequest {
        id,
        received,
        request,
    } = first;
    let Some(Asked::Open(open)) = request else {
        let mut violations = Violations::default();
        violations.add("open", "has to be the first request", &[]);
        violations.check()?;
        return Ok(None);
    };
    let (session, attached, resumed) = sessions.open(owner, open, received)?;
    let Attached { number, pieces } = attached;
    let opened = v1::SessionOpened {
        session_id: session.key.id.clone(),
        server_id: service.server_id().to_owned(),
        resumed,
    };
    Ok(Some(Open {
        session,
        number,
        pieces,
        answer: None,
        opened: Some(Box::new(SessionResponse {
            id,
            number: 0,
            response: Some(Response::Open(opened)),
        })),
    }))
}
