//! The event stream: changes in a rectangle, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::stream::{Event as SseEvent, EventStream};
use rocket::tokio::select;
use rocket::tokio::time::interval;
use rocket::{Request, Shutdown, State, async_trait, get};
use serde::Serialize;

use super::envelope::ErrorResponse;
use super::guard::CookieOrToken;
use super::map_bottle_view::MapBottleView;
use super::query::RectangleQuery;
use crate::domain::accounts::Accounts;
use crate::domain::events::{Event, EventBus, SequencedEvent};
use crate::http::{ClientConnection, Session};

/// The interval of heartbeats. The server notices within this time that a subscriber has
/// disconnected.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);

/// The time, besides the request timeout, in which a subscriber must read something.
pub(super) const STALL: Duration = Duration::from_secs(30);

/// The header `Last-Event-ID`: the id of the last event that the client received.
pub(super) struct LastEventId<'r>(pub(super) Option<&'r str>);

#[async_trait]
impl<'r> FromRequest<'r> for LastEventId<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self(request.headers().get_one("Last-Event-ID")))
    }
}

/// Stream the changes in a rectangle as server-sent events: `thrown`, `opened` and `hidden` bottles
///
/// The event `frozen` means that a teacher has frozen throwing, or ended the freeze.
///
/// The event `reset` means that events were lost, that an account was deleted with its bottles, or
/// that the operator changed something: request the bottles again.
#[utoipa::path(get, path = "/bottles/live",
    params(RectangleQuery, ("Last-Event-ID" = Option<String>, Header, description = "the id of the last received event")),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "an endless stream", content_type = "text/event-stream", body = String),
    )
)]
#[get("/bottles/live?<query..>")]
pub(super) fn stream<'r>(
    session: Session<CookieOrToken>,
    last_event_id: LastEventId<'r>,
    query: RectangleQuery<'r>,
    events: &'r State<EventBus>,
    accounts: &'r State<Accounts>,
    connection: ClientConnection,
    mut shutdown: Shutdown,
) -> Result<EventStream![SseEvent + 'r], ErrorResponse> {
    let rectangle = query.rectangle()?;
    let mut subscriber = events.subscribe(rectangle, last_event_id.0)?;
    let viewer = session.login.account.id;
    let needs_reset = subscriber.needs_reset();
    Ok(EventStream! {
        let mut heartbeat = interval(HEARTBEAT);
        if needs_reset {
            yield SseEvent::empty().event("reset");
        }
        loop {
            // Rocket polls this loop only while the client reads. Otherwise the timeout passes, and
            // the connection is closed.
            connection.expect_read(STALL);
            select! {
                _ = &mut shutdown => break,
                _ = heartbeat.tick() => match accounts.is_live(&session.login) {
                    true => yield SseEvent::comment(""),
                    false => break,
                },
                next = subscriber.next() => match next {
                    // The reset may be the deletion of the subscriber's own account.
                    Some(next) if matches!(next.event, Event::Reset)
                        && !accounts.is_live(&session.login) => break,
                    Some(next) => yield to_sse(&next, viewer).id(events.id(next.number)),
                    None => break,
                },
            }
        }
    }
    .heartbeat(None))
}

/// The data of the event `opened`.
#[derive(Serialize)]
struct Opened {
    bottle_id: i64,
    openers_count: i64,
}

/// The data of the event `hidden`.
#[derive(Serialize)]
struct Hidden {
    bottle_id: i64,
}

/// The data of the event `frozen`.
#[derive(Serialize)]
struct Frozen {
    frozen: bool,
}

fn to_sse(sequenced: &SequencedEvent, viewer: i64) -> SseEvent {
    match &sequenced.event {
        Event::Thrown(thrown) => {
            SseEvent::json(&MapBottleView::new(&thrown.as_ref(), viewer)).event("thrown")
        }
        Event::Opened(bottle_id, _, openers_count) => {
            let opened = Opened { bottle_id: *bottle_id, openers_count: *openers_count };
            SseEvent::json(&opened).event("opened")
        }
        Event::Reset => SseEvent::empty().event("reset"),
        Event::Frozen(frozen) => SseEvent::json(&Frozen { frozen: *frozen }).event("frozen"),
        Event::Hidden(bottle_id, _) => {
            SseEvent::json(&Hidden { bottle_id: *bottle_id }).event("hidden")
        }
    }
}
