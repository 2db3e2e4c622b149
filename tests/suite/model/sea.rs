//! Throwing bottles, and the lists of bottles and openers.

use std::collections::BTreeMap;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{base, no, ok, wrong};
use super::run::{Carried, Expected, Outcome, Reply, Run};
use super::threads::{Side, with_counts, with_limits, with_state};
use super::words::{self, Flaw, Who, Word};
use super::world::Bottle;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Throw { base: Word, who: Who, new: New },
    Openers { base: Word, who: Who, bottle: usize, page: Page },
    Created { base: Word, who: Who, page: Page },
    Opened { base: Word, who: Who, page: Page },
}

#[derive(Clone, Debug)]
pub(super) struct New {
    content: Word,
    style: Option<i64>,
    place: (f64, f64),
    expires_in_days: Option<i64>,
    open_within_m: Option<i64>,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl New {
    /// The first wrong field, in the order in which the server looks at them.
    fn refusal(&self) -> Option<Expected> {
        let (latitude, longitude) = self.place;
        let range = |field, range| Some(wrong(field, Flaw::OutOfRange(range)));
        match self.content {
            _ if self.expires_in_days == Some(0) => range("expires_in_days", "1到365"),
            "" => Some(wrong("content", Flaw::Empty)),
            _ if latitude > 90.0 => range("latitude", "-90到90"),
            _ if longitude < -180.0 => range("longitude", "-180到180"),
            _ if !(0..=2).contains(&self.style.unwrap_or(0)) => range("style", "0到2"),
            _ if self.open_within_m == Some(19) => range("open_within_m", "20到50000"),
            _ => None,
        }
    }
}

/// A part of a list: so many, after the one at this place of the whole list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    limit: Option<usize>,
    after: Option<usize>,
}

pub(super) fn page() -> impl Strategy<Value = Page> {
    (option::weighted(0.3, 1..4_usize), option::weighted(0.3, 0..6_usize))
        .prop_map(|(limit, after)| Page { limit, after })
}

/// Most bottles lie in two crowds, one of them at the antimeridian; few are at the ends of the globe.
pub(super) fn place() -> impl Strategy<Value = (f64, f64)> {
    let end = |limit: f64| select(vec![-limit, limit, 0.0]);
    prop_oneof![
        8 => (52.0..53.0, 13.0..14.0),
        8 => (-17.0..-16.0, prop_oneof![179.0..180.0, -180.0..-179.0]),
        3 => (-90.0..90.0, -180.0..180.0),
        1 => (end(90.0), end(180.0)),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::somebody;
    let bottle = || 0..60_usize;
    let content = select(vec!["A message.", "瓶\n中信", "\u{1f9f4}", ""]);
    let style = option::of(-1..=3_i64);
    let place = prop_oneof![30 => place(), 1 => Just((90.5, 0.0)), 1 => Just((0.0, -180.5))];
    let expires_in_days =
        option::weighted(0.3, prop_oneof![20 => select(vec![1, 2, 40, 365_i64]), 1 => Just(0)]);
    let open_within_m =
        option::weighted(0.3, prop_oneof![20 => select(vec![20, 600, 50_000_i64]), 1 => Just(19)]);
    let new = (content, style, place, expires_in_days, open_within_m).prop_map(
        |(content, style, place, expires_in_days, open_within_m)| New {
            content,
            style,
            place,
            expires_in_days,
            open_within_m,
        },
    );
    prop_oneof![
        10 => (base(), somebody(), new).prop_map(|(base, who, new)| Step::Throw { base, who, new }),
        6 => (base(), somebody(), bottle(), page())
            .prop_map(|(base, who, bottle, page)| Step::Openers { base, who, bottle, page }),
        3 => (base(), somebody(), page()).prop_map(|(base, who, page)| Step::Created { base, who, page }),
        3 => (base(), somebody(), page()).prop_map(|(base, who, page)| Step::Opened { base, who, page }),
    ]
}

fn location(bottle: &Bottle) -> Value {
    let (latitude, longitude) = bottle.place;
    json!({ "formatted_address": "sea", "latitude": latitude, "longitude": longitude })
}

pub(super) fn no_such(id: i64) -> Expected {
    no(404, "NOT_FOUND", format!("漂流瓶{id}不存在"))
}

/// The part of `whole` that `page` asks for, and the id to go on after.
pub(super) fn part(whole: Vec<(i64, Value)>, page: Page) -> (Vec<Value>, Option<i64>) {
    let start = page.after.map_or(0, |at| whole.len().min(at + 1));
    let mut rest = whole.into_iter().skip(start).peekable();
    let items: Vec<_> = rest.by_ref().take(page.limit.unwrap_or(usize::MAX)).collect();
    let next = rest.peek().and(items.last()).map(|(id, _)| *id);
    (items.into_iter().map(|(_, item)| item).collect(), next)
}

/// The query that asks for `page` of `whole`.
pub(super) fn query(whole: &[(i64, Value)], page: Page) -> String {
    let limit = page.limit.map(|limit| format!("limit={limit}"));
    // After the last one, or after what is no longer in the list, nothing comes.
    let after = page.after.map(|at| {
        let id = whole.get(at).or(whole.last()).map_or(i64::MAX, |(id, _)| *id);
        format!("after={id}")
    });
    format!("?{}", [limit, after].into_iter().flatten().collect::<Vec<_>>().join("&"))
}

impl Run {
    pub(super) fn sea(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Throw { base, who, new } => self.throw(base, *who, new),
            Step::Openers { base, who, bottle, page } => {
                self.openers(base, *who, self.bottle_at(*bottle), *page)
            }
            Step::Created { base, who, page } => self.created(base, *who, *page),
            Step::Opened { base, who, page } => self.opened(base, *who, *page),
        }
    }

    /// Sends a GET as someone, as [`Run::as_known`] does.
    pub(super) fn get(&mut self, who: Who, path: &str) -> Result<Option<(usize, Reply)>, String> {
        self.as_known(who, |run: &Self, as_: &Carried| run.send("GET", path, as_, &Value::Null))
    }

    /// Whom a request as `who` would be from, if anyone.
    pub(super) fn whose(&self, who: Who) -> Option<i64> {
        use super::run::Proof;
        match self.carry(super::world::By::Bottle, who).proof {
            Proof::Good(session) => Some(self.owner(session)),
            _ => None,
        }
    }

    /// The id of a bottle; one time in a round, of none.
    pub(super) fn bottle_at(&self, at: usize) -> i64 {
        let round = self.world.bottles.len() + 1;
        self.world.bottles.keys().nth(at % round).copied().unwrap_or(self.world.last_bottle + 1)
    }

    fn throw(&mut self, base: &str, who: Who, new: &New) -> Outcome {
        let (latitude, longitude) = new.place;
        let location =
            json!({ "formatted_address": "sea", "latitude": latitude, "longitude": longitude });
        let body = json!({ "content": new.content, "style": new.style, "location": location,
            "expires_in_days": new.expires_in_days, "open_within_m": new.open_within_m });
        let path = format!("{base}/bottles");
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let owner = self.owner(session);
        let refused = new.refusal().or_else(|| self.cannot_throw(owner, "扔漂流瓶"));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        let id = reply.new_id("bottle_id", self.world.last_bottle)?;
        let bottle = Bottle {
            owner,
            content: new.content,
            style: new.style.unwrap_or(0),
            place: new.place,
            created_at: reply.time("created_at")?,
            openings: BTreeMap::new(),
            threads: BTreeMap::new(),
            reports: BTreeMap::new(),
            is_hidden: false,
            expires_at: new
                .expires_in_days
                .map(|days| reply.time_in("expires_at", days * DAY_MS))
                .transpose()?,
            has_ended: false,
            open_within_m: new.open_within_m,
        };
        self.world.last_bottle = id;
        self.world.bottles.insert(id, bottle);
        reply.is(ok("创建漂流瓶成功", self.own_view(id)))
    }

    /// Why an account may not throw or reply now, if it may not.
    pub(super) fn cannot_throw(&self, account: i64, what: &str) -> Option<Expected> {
        let muted_until = self.world.accounts[&account].muted_until.as_ref();
        match muted_until {
            _ if self.world.is_frozen => Some(no(403, "FORBIDDEN", format!("现在不能{what}"))),
            Some((end, until)) if *end > self.now() => {
                Some(no(403, "FORBIDDEN", format!("您被禁言，{until}之前不能{what}")))
            }
            _ => None,
        }
    }

    /// A bottle as its owner sees it in a list.
    pub(super) fn own_view(&self, id: i64) -> Value {
        let bottle = &self.world.bottles[&id];
        let view = json!({ "bottle_id": id, "content": bottle.content, "style": bottle.style,
            "location": location(bottle), "created_at": bottle.created_at,
            "openers_count": bottle.openings.len() });
        let view = with_state(with_limits(view, bottle), bottle);
        with_counts(view, self.world.bottle_counts(id))
    }

    /// A bottle as an account sees it that has just opened it.
    pub(super) fn opened_view(&self, id: i64, opener: i64, open_at: &str) -> Value {
        let bottle = &self.world.bottles[&id];
        let view = json!({ "bottle_id": id, "content": bottle.content, "style": bottle.style,
            "owner": self.person(bottle.owner), "location": location(bottle),
            "created_at": bottle.created_at, "open_at": open_at });
        let view = with_state(with_limits(view, bottle), bottle);
        with_counts(view, self.world.shown_counts(id, opener, Side::Opener))
    }

    /// The answer to an account that does not own the bottle, if it does not.
    pub(super) fn not_owner(&self, id: i64, account: i64) -> Option<Expected> {
        match self.world.visible(id, account) {
            None => Some(no_such(id)),
            Some(bottle) if bottle.owner != account => {
                Some(no(403, "FORBIDDEN", "您不是该瓶子的主人"))
            }
            Some(_) => None,
        }
    }

    pub(super) fn openers(&mut self, base: &str, who: Who, id: i64, page: Page) -> Outcome {
        let mut openings: Vec<(&String, i64)> = match self.world.bottles.get(&id) {
            Some(bottle) => bottle.openings.iter().map(|(who, time)| (time, *who)).collect(),
            None => Vec::new(),
        };
        openings.sort_unstable();
        let opener = |(open_at, opener): (&String, i64)| {
            let mut person = self.person(opener);
            person["open_at"] = json!(open_at);
            (opener, with_counts(person, self.world.shown_counts(id, opener, Side::Owner)))
        };
        let whole: Vec<_> = openings.into_iter().map(opener).collect();
        let path = format!("{base}/bottles/{id}/openers{}", query(&whole, page));
        let Some((session, reply)) = self.get(who, &path)? else { return Ok(()) };
        if let Some(refused) = self.not_owner(id, self.owner(session)) {
            return reply.is(refused);
        }
        let count = whole.len();
        let (openers, next) = part(whole, page);
        let data = json!({ "openers_count": count, "openers": openers, "next": next });
        reply.is(ok("查询漂流瓶的打开者列表成功", data))
    }

    pub(super) fn created(&mut self, base: &str, who: Who, page: Page) -> Outcome {
        let owner = self.whose(who);
        let own = self.world.bottles.iter().filter(|(_, bottle)| Some(bottle.owner) == owner);
        let whole: Vec<_> = own.map(|(id, _)| (*id, self.own_view(*id))).collect();
        let path = format!("{base}/bottles/created{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (bottles, next) = part(whole, page);
        reply.is(ok("查询创建的漂流瓶列表成功", json!({ "bottles": bottles, "next": next })))
    }

    pub(super) fn opened(&mut self, base: &str, who: Who, page: Page) -> Outcome {
        let opener = self.whose(who);
        let opening = |(id, bottle): (&i64, &Bottle)| {
            self.world.visible(*id, opener?)?;
            Some((bottle.openings.get(&opener?)?.clone(), *id))
        };
        let mut openings: Vec<(String, i64)> =
            self.world.bottles.iter().filter_map(opening).collect();
        openings.sort_unstable();
        let whole: Vec<_> = openings
            .iter()
            .map(|(time, id)| (*id, self.opened_view(*id, opener.unwrap_or(0), time)))
            .collect();
        let path = format!("{base}/bottles/opened{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (bottles, next) = part(whole, page);
        reply.is(ok("查询打开的漂流瓶列表成功", json!({ "bottles": bottles, "next": next })))
    }
}
