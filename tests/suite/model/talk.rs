//! Threads and their replies.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{ok, wrong};
use super::run::{Carried, Outcome, Run};
use super::sea::{Page, page, part, query};
use super::thread_rules::forbidden;
use super::threads::{self, Item, Side, Thread};
use super::words::{self, Flaw, Who, Word};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Write { who: Who, thread: Target, content: Word },
    Read { who: Who, thread: Target, page: Page },
    Threads { who: Who, bottle: usize, page: Page },
    Delete { who: Who, reply: usize },
}

/// A bottle, most often one that the account has to do with, and the opener that the request names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    bottle: usize,
    opener: usize,
}

fn target() -> impl Strategy<Value = Target> {
    (0..60_usize, 0..10_usize).prop_map(|(bottle, opener)| Target { bottle, opener })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::somebody;
    let content = select(vec!["A reply.", "回\n复", "\u{1f9f4}", "R", ""]);
    prop_oneof![
        12 => (somebody(), target(), content)
            .prop_map(|(who, thread, content)| Step::Write { who, thread, content }),
        8 => (somebody(), target(), page())
            .prop_map(|(who, thread, page)| Step::Read { who, thread, page }),
        3 => (somebody(), 0..60_usize, page())
            .prop_map(|(who, bottle, page)| Step::Threads { who, bottle, page }),
        2 => (somebody(), 0..60_usize).prop_map(|(who, reply)| Step::Delete { who, reply }),
    ]
}

/// From this number on, a target is any one, not one that the account has to do with.
const ANY: usize = 50;

impl Run {
    pub(super) fn talk(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Write { who, thread, content } => self.write(*who, *thread, content),
            Step::Read { who, thread, page } => {
                let (bottle, opener) = self.target(*who, *thread);
                self.replies(*who, bottle, opener, *page)
            }
            Step::Threads { who, bottle, page } => {
                self.threads(*who, self.own_bottle_at(*who, *bottle), *page)
            }
            Step::Delete { who, reply } => self.delete_reply(*who, *reply),
        }
    }

    /// The id of a bottle that the account has opened, or that others have opened of its own.
    fn own_bottle_at(&self, who: Who, at: usize) -> i64 {
        let account = self.whose(who).filter(|_| at < ANY);
        let bottles = self.world.bottles.iter().filter(|(_, bottle)| {
            account.is_some_and(|account| match bottle.owner == account {
                true => !bottle.openings.is_empty(),
                false => bottle.openings.contains_key(&account),
            })
        });
        let own: Vec<i64> = bottles.map(|(id, _)| *id).collect();
        if own.is_empty() { self.bottle_at(at) } else { own[at % own.len()] }
    }

    /// The id of a reply in a thread of the account, or of any.
    pub(super) fn reply_at(&self, who: Who, at: usize) -> i64 {
        let account = self.whose(who).filter(|_| at < ANY);
        let replies = self.world.replies.iter().filter(|(_, reply)| {
            account.is_none_or(|account| {
                reply.opener == account || self.world.bottles[&reply.bottle].owner == account
            })
        });
        let ids: Vec<i64> = replies.map(|(id, _)| *id).collect();
        if ids.is_empty() { self.world.last_reply + 1 } else { ids[at % ids.len()] }
    }

    /// The bottle, and the `opener_id` of the request.
    fn target(&self, who: Who, Target { bottle, opener }: Target) -> (i64, Option<i64>) {
        let id = self.own_bottle_at(who, bottle);
        let account = self.whose(who);
        let bottle = self.world.bottles.get(&id);
        let openers: Vec<i64> =
            bottle.into_iter().flat_map(|bottle| bottle.openings.keys().copied()).collect();
        let nth = (!openers.is_empty()).then(|| openers[opener % openers.len()]);
        let names_opener = bottle.is_some_and(|bottle| Some(bottle.owner) == account);
        let opener = match opener {
            9 => self.world.accounts.keys().nth(id as usize % 5).copied(),
            8 => None,
            7 if !names_opener => account,
            6 => nth,
            _ => nth.filter(|_| names_opener),
        };
        (id, opener)
    }

    fn write(&mut self, who: Who, target: Target, content: Word) -> Outcome {
        let (bottle, opener) = self.target(who, target);
        let mut body = json!({ "content": content });
        if let Some(opener) = opener {
            body["opener_id"] = json!(opener);
        }
        let path = format!("/api/bottles/{bottle}/replies");
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let author = self.owner(session);
        if content.is_empty() {
            return reply.is(wrong("content", Flaw::Empty));
        }
        let (opener, other) = match self.thread_to_write(author, bottle, opener) {
            Ok(found) => found,
            Err(refused) => return reply.is(refused),
        };
        if let Some((status, mut body)) = self.cannot_throw(author, "回复") {
            let reason = if self.world.is_frozen { "frozen" } else { "muted" };
            body["data"]["reason"] = json!(reason);
            return reply.is((status, body));
        }
        let id = reply.new_id("reply_id", self.world.last_reply)?;
        let created_at = reply.time("created_at")?;
        let new = threads::Reply::new((bottle, opener), author, content, created_at.clone());
        self.world.last_reply = id;
        self.world.replies.insert(id, new);
        if let Some(bottle) = self.world.bottles.get_mut(&bottle) {
            bottle.threads.entry(opener).or_insert_with(Thread::default);
        }
        let item = Item { reply: Some(id), ..Item::by(author, "replied", bottle, created_at) };
        self.world.add_item(other, item);
        reply.is(ok("回复成功", self.reply_view(id)))
    }

    pub(super) fn reply_view(&self, id: i64) -> Value {
        let reply = &self.world.replies[&id];
        let mut view = json!({ "reply_id": id, "bottle_id": reply.bottle,
            "author": self.person(reply.author), "content": reply.content,
            "created_at": reply.created_at });
        if reply.is_hidden {
            view["hidden"] = json!(true);
        }
        view
    }

    pub(super) fn replies(
        &mut self,
        who: Who,
        id: i64,
        opener: Option<i64>,
        page: Page,
    ) -> Outcome {
        let found = self.whose(who).map(|account| self.thread_to_read(account, id, opener));
        let whole: Vec<(i64, Value)> = match (self.whose(who), &found) {
            (Some(reader), Some(Ok((opener, ..)))) => {
                let shown = self.world.thread(id, *opener).filter(|(_, reply)| {
                    (!reply.is_hidden || self.world.is_teacher(reader))
                        && !self.world.has_blocked(reader, reply.author)
                });
                shown.map(|(reply, _)| (reply, self.reply_view(reply))).collect()
            }
            _ => Vec::new(),
        };
        let opener = opener.map(|opener| format!("&opener_id={opener}")).unwrap_or_default();
        let path = format!("/api/bottles/{id}/replies{}{opener}", query(&whole, page));
        let Some((session, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (opener, side, other) = match found {
            Some(Ok(found)) => found,
            Some(Err(refused)) => return reply.is(refused),
            None => return Err("no reader".into()),
        };
        let is_blocked = self.world.has_blocked(self.owner(session), other);
        let (replies, next) = part(whole, page);
        let last = replies.last().and_then(|reply| reply["reply_id"].as_i64()).unwrap_or(0);
        let mut data = json!({ "replies": replies, "next": next });
        if is_blocked {
            data["blocked"] = json!(true);
        }
        reply.is(ok("查询回复成功", data))?;
        if let Some(side) = side.filter(|_| !is_blocked) {
            self.mark_read((id, opener), side, last);
        }
        Ok(())
    }

    /// Reading marks what was listed as read, and what came before it.
    fn mark_read(&mut self, (id, opener): (i64, i64), side: Side, last: i64) {
        let (_, unread) = self.world.counts(id, opener, side);
        let bottle = self.world.bottles.get_mut(&id);
        let thread = bottle.and_then(|bottle| bottle.threads.get_mut(&opener));
        let Some(thread) = thread.filter(|_| unread > 0) else { return };
        let read = match side {
            Side::Owner => &mut thread.owner_read,
            Side::Opener => &mut thread.opener_read,
        };
        *read = last.max(*read);
    }

    pub(super) fn threads(&mut self, who: Who, id: i64, page: Page) -> Outcome {
        let openers = self.world.bottles.get(&id).into_iter().flat_map(|bottle| {
            let openers = bottle.threads.keys().copied();
            openers.filter(|opener| !self.world.has_blocked(bottle.owner, *opener))
        });
        let view = |opener: i64| {
            let visible = self.world.thread(id, opener).filter(|(_, reply)| !reply.is_hidden);
            let (last_id, last) = visible.last()?;
            let (replies, unread) = self.world.counts(id, opener, Side::Owner);
            let view = json!({ "opener": self.person(opener), "replies_count": replies,
                "unread_count": unread, "last_reply_at": last.created_at });
            Some((last_id, view))
        };
        let mut whole: Vec<(i64, Value)> = openers.filter_map(view).collect();
        whole.sort_by_key(|(last, _)| -last);
        let path = format!("/api/bottles/{id}/threads{}", query(&whole, page));
        let Some((session, reply)) = self.get(who, &path)? else { return Ok(()) };
        if let Some(refused) = self.not_owner(id, self.owner(session)) {
            return reply.is(refused);
        }
        let (threads, next) = part(whole, page);
        reply.is(ok("查询对话列表成功", json!({ "threads": threads, "next": next })))
    }

    fn delete_reply(&mut self, who: Who, at: usize) -> Outcome {
        let id = self.reply_at(who, at);
        let path = format!("/api/replies/{id}");
        let send = |run: &Self, as_: &Carried| run.send("DELETE", &path, as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let account = self.owner(session);
        if let Some(refused) = self.not_visible(id, account) {
            return reply.is(refused);
        }
        if self.world.replies[&id].author != account {
            return reply.is(forbidden("not_author", "只能删除自己的回复"));
        }
        self.world.replies.remove(&id);
        self.world.remove_orphans(None);
        reply.is(ok("删除回复成功", json!({})))
    }
}
