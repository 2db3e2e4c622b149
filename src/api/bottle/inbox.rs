//! The inbox, and its event stream.

use rocket::response::stream::{Event as SseEvent, EventStream};
use rocket::tokio::select;
use rocket::tokio::time::interval;
use rocket::{Shutdown, State, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::envelope::{Envelope, ErrorResponse, Reply, ok};
use super::events::{HEARTBEAT, LastEventId, STALL};
use super::guard::CookieOrToken;
use super::items::{Items, JsonText};
use super::query::{PageQuery, parse_page};
use super::view::Person;
use crate::domain::accounts::{Accounts, required};
use crate::domain::inbox::{Inbox, Item, Kind};
use crate::http::{Body, ClientConnection, Session};
use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// An item of the inbox.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemView {
    item_id: i64,
    /// opened, replied, hidden, shown or expired
    kind: &'static str,
    bottle_id: i64,
    /// present only for hidden and shown, and only if it was a reply of the account instead of the bottle
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_id: Option<i64>,
    /// present only for opened and replied: the latest opener, or the author of the reply
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Person>,
    /// present only if more than one account opened the bottle while the item was unread
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    created_at: Timestamp,
    read: bool,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            item_id: item.id,
            kind: item.kind.as_str(),
            bottle_id: item.bottle,
            reply_id: item.reply.filter(|_| matches!(item.kind, Kind::Hidden | Kind::Shown)),
            actor: item.actor.map(Person::from),
            count: Some(item.count).filter(|count| *count > 1),
            created_at: item.created_at,
            read: item.is_read,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Unread {
    unread: i64,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct InboxPage {
    unread: i64,
    items: Vec<ItemView>,
    next: Option<i64>,
}

/// List the events of the account's bottles and threads, the latest first
#[utoipa::path(get, path = "/inbox",
    params(PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<InboxPage>),
    )
)]
#[get("/inbox?<limit>&<after>")]
pub(super) async fn inbox(
    session: Session<CookieOrToken>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    inbox: &State<Inbox>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |item: Item| items.push(item.id, &ItemView::from(item));
    let read = inbox.items(&session.login, page, write_item);
    let (unread, has_more) = connection.while_open(read).await?;
    Ok(items.response("查询消息成功", &Unread { unread }, "items", has_more)?)
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ReadRequest {
    /// the id of the latest item that was read
    #[schema(value_type = i64)]
    read_through: Option<i64>,
}

/// Mark the items up to one as read
#[utoipa::path(put, path = "/inbox",
    request_body = ReadRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the number of items that are still unread", body = Envelope<Unread>),
    )
)]
#[put("/inbox", data = "<body>")]
pub(super) async fn mark_read(
    session: Session<CookieOrToken>,
    body: Body<ReadRequest>,
    inbox: &State<Inbox>,
) -> Reply<Unread> {
    let through = required("read_through", body.0.read_through)?;
    let unread = inbox.mark_read(&session.login, through).await?;
    ok("已读", Unread { unread })
}

/// Stream the inbox as server-sent events: new items as `item`, `unread` with the number of unread
/// ones at the start and when it changes, and `threads` without data when replies of the account's
/// threads were written, deleted, hidden or shown
#[utoipa::path(get, path = "/inbox/live",
    params(("Last-Event-ID" = Option<String>, Header, description = "the id of the last received event: later items are sent first")),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "an endless stream", content_type = "text/event-stream", body = String),
    )
)]
#[get("/inbox/live")]
pub(super) fn stream<'r>(
    session: Session<CookieOrToken>,
    last_event_id: LastEventId<'r>,
    inbox: &'r State<Inbox>,
    accounts: &'r State<Accounts>,
    connection: ClientConnection,
    mut shutdown: Shutdown,
) -> Result<EventStream![SseEvent + 'r], ErrorResponse> {
    let account = session.login.account.id;
    let mut subscription = inbox.subscribe(account)?;
    let mut news = News::new(inbox.inner(), account, last_event_id.0);
    let first = news.read()?;
    Ok(EventStream! {
        for event in first {
            yield event;
        }
        let mut heartbeat = interval(HEARTBEAT);
        loop {
            connection.expect_read(STALL);
            select! {
                _ = &mut shutdown => break,
                _ = heartbeat.tick() => match accounts.is_live(&session.login) {
                    true => yield SseEvent::comment(""),
                    false => break,
                },
                has_thread_changed = subscription.changed() => {
                    if !accounts.is_live(&session.login) {
                        break;
                    }
                    let Ok(events) = news.read() else { break };
                    for event in events {
                        yield event;
                    }
                    if has_thread_changed {
                        yield SseEvent::data("{}").event("threads");
                    }
                },
            }
        }
    }
    .heartbeat(None))
}

/// The unsent events of a stream, read from the store.
struct News<'r> {
    inbox: &'r Inbox,
    account: i64,
    /// The id of the last item sent.
    last: Option<i64>,
    /// The number of unread items sent last.
    unread: Option<i64>,
}

impl<'r> News<'r> {
    fn new(inbox: &'r Inbox, account: i64, last_event_id: Option<&str>) -> Self {
        let last = last_event_id.and_then(|id| id.parse().ok());
        Self { inbox, account, last, unread: None }
    }

    /// Returns the events since the last call.
    fn read(&mut self) -> Result<Vec<SseEvent>> {
        let (items, newest, unread) = self.inbox.news(self.account, self.last)?;
        self.last = Some(newest);
        let to_sse = |item: Item| {
            let id = item.id.to_string();
            SseEvent::json(&ItemView::from(item)).event("item").id(id)
        };
        let mut events: Vec<SseEvent> = items.into_iter().map(to_sse).collect();
        if self.unread != Some(unread) {
            self.unread = Some(unread);
            events.push(SseEvent::json(&Unread { unread }).event("unread").id(newest.to_string()));
        }
        Ok(events)
    }
}
