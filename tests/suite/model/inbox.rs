//! The inbox, its silenced kinds, and blocked accounts.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{no, ok};
use super::run::{Carried, Outcome, Reply, Run};
use super::sea::{Page, page, part, query};
use super::threads::Item;
use super::words::{self, Who, Word};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Inbox {
        who: Who,
        page: Page,
    },
    /// Marks as read what is up to so many below the newest, or beyond it.
    MarkRead {
        who: Who,
        below: Option<usize>,
    },
    Silence {
        who: Who,
        kind: Word,
        wanted: bool,
    },
    Block {
        who: Who,
        account: usize,
        blocked: bool,
    },
    Blocks {
        who: Who,
        page: Page,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::somebody;
    let kind = select(vec!["opened", "replied", "hidden", "shown", "expired"]);
    let below = prop::option::weighted(0.8, 0..6_usize);
    prop_oneof![
        10 => (somebody(), page()).prop_map(|(who, page)| Step::Inbox { who, page }),
        4 => (somebody(), below).prop_map(|(who, below)| Step::MarkRead { who, below }),
        2 => (somebody(), kind, prop::bool::weighted(0.7))
            .prop_map(|(who, kind, wanted)| Step::Silence { who, kind, wanted }),
        4 => (somebody(), 0..9_usize, prop::bool::weighted(0.4))
            .prop_map(|(who, account, blocked)| Step::Block { who, account, blocked }),
        1 => (somebody(), page()).prop_map(|(who, page)| Step::Blocks { who, page }),
    ]
}

/// Fills in what the model cannot know of an item, its id and perhaps its time, from the answer.
fn learn(item: &mut Item, listed: &Value, reply: &Reply) {
    if item.id.is_none() {
        item.id = listed["item_id"].as_i64();
    }
    let since = std::mem::take(&mut item.created_at);
    item.created_at = match listed["created_at"].as_str() {
        Some(time) if !item.is_time_known && *since <= *time && *time <= *reply.after => {
            item.is_time_known = true;
            time.to_owned()
        }
        _ => since,
    };
}

impl Run {
    pub(super) fn inbox(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Inbox { who, page } => self.list_items(*who, *page),
            Step::MarkRead { who, below } => self.mark_items_read(*who, *below),
            Step::Silence { who, kind, wanted } => self.silence(*who, kind, *wanted),
            Step::Block { who, account, blocked } => self.block(*who, *account, *blocked),
            Step::Blocks { who, page } => self.blocks(*who, *page),
        }
    }

    /// Lists the whole inbox, which tells the ids of new items, and then a page of it.
    pub(super) fn list_items(&mut self, who: Who, page: Page) -> Outcome {
        let Some((session, reply)) = self.get(who, "/api/inbox")? else { return Ok(()) };
        let account = self.owner(session);
        let body = reply.body();
        let listed = body["data"]["items"].as_array().into_iter().flatten();
        let items = self.world.accounts.get_mut(&account).map(|account| &mut account.inbox);
        for (item, listed) in items.into_iter().flatten().rev().zip(listed) {
            learn(item, listed, &reply);
        }
        let whole = self.item_views(account);
        if !whole.is_sorted_by(|(newer, _), (older, _)| newer > older) {
            return Err(format!("not the newest first: {}", reply.response.text));
        }
        let unread = self.unread_items(account);
        let views: Vec<&Value> = whole.iter().map(|(_, view)| view).collect();
        let data = json!({ "unread": unread, "items": views, "next": null });
        reply.is(ok("查询消息成功", data))?;

        let path = format!("/api/inbox{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Err("no session".into()) };
        let (items, next) = part(whole, page);
        let data = json!({ "unread": unread, "items": items, "next": next });
        reply.is(ok("查询消息成功", data))
    }

    fn unread_items(&self, account: i64) -> usize {
        self.world.accounts[&account].inbox.iter().filter(|item| !item.is_read).count()
    }

    /// The items of an account by id, the newest first.
    fn item_views(&self, account: i64) -> Vec<(i64, Value)> {
        let view = |item: &Item| {
            let id = item.id.unwrap_or(0);
            let mut view = json!({ "item_id": id, "kind": item.kind, "bottle_id": item.bottle,
                "created_at": item.created_at, "read": item.is_read });
            if let Some(reply) = item.reply.filter(|_| item.kind != "replied") {
                view["reply_id"] = json!(reply);
            }
            if let Some(actor) = item.actor {
                view["actor"] = self.person(actor);
            }
            if item.count > 1 {
                view["count"] = json!(item.count);
            }
            (id, view)
        };
        self.world.accounts[&account].inbox.iter().rev().map(view).collect()
    }

    fn mark_items_read(&mut self, who: Who, below: Option<usize>) -> Outcome {
        self.list_items(who, Page::default())?;
        let through = match (self.whose(who), below) {
            (Some(account), Some(below)) => {
                let inbox = &self.world.accounts[&account].inbox;
                inbox.iter().rev().nth(below).and_then(|item| item.id).unwrap_or(0)
            }
            _ => i64::MAX,
        };
        let body = json!({ "read_through": through });
        let send = |run: &Self, as_: &Carried| run.send("PUT", "/api/inbox", as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let id = self.owner(session);
        if let Some(account) = self.world.accounts.get_mut(&id) {
            for item in &mut account.inbox {
                item.is_read |= item.id.is_some_and(|id| id <= through);
            }
        }
        reply.is(ok("已读", json!({ "unread": self.unread_items(id) })))
    }

    fn silence(&mut self, who: Who, kind: Word, wanted: bool) -> Outcome {
        // The items of bottles that have ended come first.
        self.settle();
        let body = json!({ "inbox": { kind: wanted } });
        let send = |run: &Self, as_: &Carried| run.send("PUT", "/api/users/self", as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let id = self.owner(session);
        if let Some(account) = self.world.accounts.get_mut(&id) {
            match wanted {
                true => account.silenced.remove(kind),
                false => account.silenced.insert(kind),
            };
        }
        reply.is(ok("更新用户资料成功", self.user(id)))
    }

    fn block(&mut self, who: Who, account: usize, is_blocked: bool) -> Outcome {
        let missing = self.world.last_account + 1;
        let other = self.world.accounts.keys().nth(account).copied().unwrap_or(missing);
        let (path, body) = (format!("/api/users/{other}/block"), json!({ "blocked": is_blocked }));
        let send = |run: &Self, as_: &Carried| run.send("PUT", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let id = self.owner(session);
        if id == other {
            return reply.is(no(403, "FORBIDDEN", "不能屏蔽自己"));
        }
        if !self.world.accounts.contains_key(&other) {
            return reply.is(no(404, "NOT_FOUND", format!("用户{other}不存在")));
        }
        if is_blocked {
            self.world.blocks.insert((id, other));
            self.world.remove_items(|user, item| user == id && item.actor == Some(other));
        } else {
            self.world.blocks.remove(&(id, other));
        }
        reply.is(ok(if is_blocked { "已屏蔽" } else { "已取消屏蔽" }, json!({})))
    }

    pub(super) fn blocks(&mut self, who: Who, page: Page) -> Outcome {
        let blocker = self.whose(who);
        let blocked = self.world.blocks.iter().filter(|(id, _)| Some(*id) == blocker);
        let whole: Vec<_> = blocked.map(|(_, id)| (*id, self.person(*id))).collect();
        let path = format!("/api/users/self/blocks{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (blocked, next) = part(whole, page);
        reply.is(ok("查询屏蔽列表成功", json!({ "blocked": blocked, "next": next })))
    }
}
