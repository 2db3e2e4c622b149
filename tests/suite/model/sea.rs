//! Throwing, seeing and opening bottles.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{base, no, ok, wrong};
use super::run::{Carried, Expected, Outcome, Reply, Run};
use super::words::{self, Flaw, Who, Word};
use super::world::Bottle;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Throw { base: Word, who: Who, new: New },
    Open { base: Word, who: Who, bottle: usize },
    Openers { base: Word, who: Who, bottle: usize, page: Page },
    Created { base: Word, who: Who, page: Page },
    Opened { base: Word, who: Who, page: Page },
}

#[derive(Clone, Debug)]
pub(super) struct New {
    content: Word,
    style: Option<i64>,
    place: (f64, f64),
}

/// A part of a list: so many, after the one at this place of the whole list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    limit: Option<usize>,
    after: Option<usize>,
}

fn page() -> impl Strategy<Value = Page> {
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
    use words::who;
    let bottle = || 0..60_usize;
    let content = select(vec!["A message.", "瓶\n中信", "\u{1f9f4}", ""]);
    let style = option::of(-1..=3_i64);
    let place = prop_oneof![30 => place(), 1 => Just((90.5, 0.0)), 1 => Just((0.0, -180.5))];
    let new =
        (content, style, place).prop_map(|(content, style, place)| New { content, style, place });
    prop_oneof![
        10 => (base(), who(), new).prop_map(|(base, who, new)| Step::Throw { base, who, new }),
        12 => (base(), who(), bottle())
            .prop_map(|(base, who, bottle)| Step::Open { base, who, bottle }),
        6 => (base(), who(), bottle(), page())
            .prop_map(|(base, who, bottle, page)| Step::Openers { base, who, bottle, page }),
        3 => (base(), who(), page()).prop_map(|(base, who, page)| Step::Created { base, who, page }),
        3 => (base(), who(), page()).prop_map(|(base, who, page)| Step::Opened { base, who, page }),
    ]
}

fn location(bottle: &Bottle) -> Value {
    let (latitude, longitude) = bottle.place;
    json!({ "formatted_address": "sea", "latitude": latitude, "longitude": longitude })
}

fn no_such(id: i64) -> Expected {
    no(404, "NOT_FOUND", format!("漂流瓶{id}不存在"))
}

/// The part of `whole` that `page` asks for, and the id to go on after.
fn part(whole: Vec<(i64, Value)>, page: Page) -> (Vec<Value>, Option<i64>) {
    let start = page.after.map_or(0, |at| whole.len().min(at + 1));
    let mut rest = whole.into_iter().skip(start).peekable();
    let items: Vec<_> = rest.by_ref().take(page.limit.unwrap_or(usize::MAX)).collect();
    let next = rest.peek().and(items.last()).map(|(id, _)| *id);
    (items.into_iter().map(|(_, item)| item).collect(), next)
}

/// The query that asks for `page` of `whole`.
fn query(whole: &[(i64, Value)], page: Page) -> String {
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
            Step::Open { base, who, bottle } => self.open(base, *who, *bottle),
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

    /// The id of the bottle that so many were thrown before; of none, if so many were not.
    fn bottle_at(&self, at: usize) -> i64 {
        self.world.bottles.keys().nth(at).copied().unwrap_or(self.world.last_bottle + 1)
    }

    fn throw(&mut self, base: &str, who: Who, new: &New) -> Outcome {
        let (latitude, longitude) = new.place;
        let location =
            json!({ "formatted_address": "sea", "latitude": latitude, "longitude": longitude });
        let body = json!({ "content": new.content, "style": new.style, "location": location });
        let path = format!("{base}/bottles");
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let style = new.style.unwrap_or(0);
        let refused = match new.content {
            "" => Some(wrong("content", Flaw::Empty)),
            _ if latitude > 90.0 => Some(wrong("latitude", Flaw::OutOfRange("-90到90"))),
            _ if longitude < -180.0 => Some(wrong("longitude", Flaw::OutOfRange("-180到180"))),
            _ if !(0..=2).contains(&style) => Some(wrong("style", Flaw::OutOfRange("0到2"))),
            _ => None,
        };
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        let id = reply.new_id("bottle_id", self.world.last_bottle)?;
        let bottle = Bottle {
            owner: self.owner(session),
            content: new.content,
            style,
            place: new.place,
            created_at: reply.time("created_at")?,
            openings: Default::default(),
        };
        let thrown = own_view(id, &bottle);
        self.world.last_bottle = id;
        self.world.bottles.insert(id, bottle);
        reply.is(ok("创建漂流瓶成功", thrown))
    }

    fn open(&mut self, base: &str, who: Who, at: usize) -> Outcome {
        let id = self.bottle_at(at);
        let path = format!("{base}/bottles/{id}/open");
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let opener = self.owner(session);
        let Some(bottle) = self.world.bottles.get_mut(&id) else { return reply.is(no_such(id)) };
        let open_at = match bottle.openings.get(&opener) {
            Some(first) => first.clone(),
            None => reply.time("open_at")?,
        };
        if bottle.owner != opener {
            bottle.openings.insert(opener, open_at.clone());
        }
        reply.is(ok("打开漂流瓶成功", self.opened_view(id, &open_at)))
    }

    /// A bottle as one who opened it then sees it.
    fn opened_view(&self, id: i64, open_at: &str) -> Value {
        let bottle = &self.world.bottles[&id];
        json!({ "bottle_id": id, "content": bottle.content, "style": bottle.style,
            "owner": self.person(bottle.owner), "location": location(bottle),
            "created_at": bottle.created_at, "open_at": open_at })
    }

    pub(super) fn openers(&mut self, base: &str, who: Who, id: i64, page: Page) -> Outcome {
        let mut openings: Vec<(&String, i64)> = match self.world.bottles.get(&id) {
            Some(bottle) => bottle.openings.iter().map(|(who, time)| (time, *who)).collect(),
            None => Vec::new(),
        };
        openings.sort_unstable();
        let opener = |(open_at, id): (&String, i64)| {
            let mut person = self.person(id);
            person["open_at"] = json!(open_at);
            (id, person)
        };
        let whole: Vec<_> = openings.into_iter().map(opener).collect();
        let path = format!("{base}/bottles/{id}/openers{}", query(&whole, page));
        let Some((session, reply)) = self.get(who, &path)? else { return Ok(()) };
        match self.world.bottles.get(&id) {
            None => return reply.is(no_such(id)),
            Some(bottle) if bottle.owner != self.owner(session) => {
                return reply.is(no(403, "FORBIDDEN", "您不是该瓶子的主人"));
            }
            Some(_) => {}
        }
        let count = whole.len();
        let (openers, next) = part(whole, page);
        let data = json!({ "openers_count": count, "openers": openers, "next": next });
        reply.is(ok("查询漂流瓶的打开者列表成功", data))
    }

    pub(super) fn created(&mut self, base: &str, who: Who, page: Page) -> Outcome {
        let owner = self.whose(who);
        let own = self.world.bottles.iter().filter(|(_, bottle)| Some(bottle.owner) == owner);
        let whole: Vec<_> = own.map(|(id, bottle)| (*id, own_view(*id, bottle))).collect();
        let path = format!("{base}/bottles/created{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (bottles, next) = part(whole, page);
        reply.is(ok("查询创建的漂流瓶列表成功", json!({ "bottles": bottles, "next": next })))
    }

    pub(super) fn opened(&mut self, base: &str, who: Who, page: Page) -> Outcome {
        let opener = self.whose(who);
        let opening = |(id, bottle): (&i64, &Bottle)| {
            opener.and_then(|opener| Some((bottle.openings.get(&opener)?.clone(), *id)))
        };
        let mut openings: Vec<(String, i64)> =
            self.world.bottles.iter().filter_map(opening).collect();
        openings.sort_unstable();
        let whole: Vec<_> =
            openings.iter().map(|(time, id)| (*id, self.opened_view(*id, time))).collect();
        let path = format!("{base}/bottles/opened{}", query(&whole, page));
        let Some((_, reply)) = self.get(who, &path)? else { return Ok(()) };
        let (bottles, next) = part(whole, page);
        reply.is(ok("查询打开的漂流瓶列表成功", json!({ "bottles": bottles, "next": next })))
    }
}

/// A bottle as its owner sees it.
fn own_view(id: i64, bottle: &Bottle) -> Value {
    json!({ "bottle_id": id, "content": bottle.content, "style": bottle.style,
        "location": location(bottle), "created_at": bottle.created_at,
        "openers_count": bottle.openings.len() })
}
