//! Opening bottles, from nearby or not, and catching random ones.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{base, no, ok};
use super::map::rectangle;
use super::run::{Carried, Expected, Outcome, Reply, Run};
use super::sea::no_such;
use super::threads::Item;
use super::words::{self, Who, Word};

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Opens a bottle from so many degrees to its south or north, or without a position.
    Open {
        base: Word,
        who: Who,
        bottle: usize,
        offset: Option<f64>,
    },
    Catch {
        who: Who,
        within: Option<[f64; 4]>,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::somebody;
    // In metres: 0, 1, 11, 556, 33,000 and 220,000.
    let offset = option::weighted(0.6, select(vec![0.0, 0.000_01, 0.000_1, 0.005, 0.3, 2.0]));
    prop_oneof![
        14 => (base(), somebody(), 0..60_usize, offset)
            .prop_map(|(base, who, bottle, offset)| Step::Open { base, who, bottle, offset }),
        2 => (somebody(), option::of(rectangle())).prop_map(|(who, within)| Step::Catch { who, within }),
    ]
}

impl Run {
    pub(super) fn opening(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Open { base, who, bottle, offset } => self.open(base, *who, *bottle, *offset),
            Step::Catch { who, within } => self.catch(*who, *within),
        }
    }

    fn open(&mut self, base: &str, who: Who, at: usize, offset: Option<f64>) -> Outcome {
        let id = self.bottle_at(at);
        let path = format!("{base}/bottles/{id}/open");
        let place = self.world.bottles.get(&id).map_or((0.0, 0.0), |bottle| bottle.place);
        let latitude = offset.map(|offset| place.0 - offset.copysign(place.0));
        let body = match latitude {
            Some(latitude) => json!({ "latitude": latitude, "longitude": place.1 }),
            None => Value::Null,
        };
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let opener = self.owner(session);
        let metres = latitude.map(|latitude| (latitude - place.0).to_radians().abs() * 6_371_000.0);
        if self.world.visible(id, opener).is_none() {
            return reply.is(no_such(id));
        }
        match self.too_far(id, opener, metres) {
            Some(refused) => reply.is(refused),
            None => self.record_opening(id, opener, "打开漂流瓶成功", &reply),
        }
    }

    /// The answer to an account that is not near enough, if it has to be.
    fn too_far(&self, id: i64, opener: i64, metres: Option<f64>) -> Option<Expected> {
        let bottle = &self.world.bottles[&id];
        let may_open = bottle.owner == opener
            || self.world.is_teacher(opener)
            || bottle.openings.contains_key(&opener);
        let within = bottle.open_within_m.filter(|_| !may_open)?;
        let (msg, data) = match metres {
            None => {
                let msg = format!("这个漂流瓶要在{within}米以内才能打开");
                (msg, json!({ "open_within_m": within }))
            }
            Some(metres) if metres > within as f64 => {
                let rounded = (metres / 10.0).ceil() as i64 * 10;
                let msg = format!("您离漂流瓶还有{rounded}米，走近些才能打开");
                (msg, json!({ "distance_m": rounded }))
            }
            Some(_) => return None,
        };
        Some((403, json!({ "status": "TOO_FAR", "msg": msg, "data": data })))
    }

    /// Records the first opening of a bottle by another account than its owner's.
    fn record_opening(&mut self, id: i64, opener: i64, msg: &str, reply: &Reply) -> Outcome {
        let bottle = &self.world.bottles[&id];
        let owner = bottle.owner;
        let earlier = bottle.openings.get(&opener).cloned();
        let is_first = earlier.is_none() && owner != opener;
        let open_at = earlier.map_or_else(|| reply.time("open_at"), Ok)?;
        if is_first {
            self.world.add_item(owner, Item::by(opener, "opened", id, open_at.clone()));
            if let Some(bottle) = self.world.bottles.get_mut(&id) {
                bottle.openings.insert(opener, open_at.clone());
            }
        }
        reply.is(ok(msg, self.opened_view(id, opener, &open_at)))
    }

    /// The answer is a bottle that the account may catch, or that there is none.
    fn catch(&mut self, who: Who, within: Option<[f64; 4]>) -> Outcome {
        let body = within.map_or(Value::Null, |[latitude, longitude, high, wide]| {
            json!({ "latitude": latitude, "longitude": longitude,
                "latitude_span": high, "longitude_span": wide })
        });
        let send = |run: &Self, as_: &Carried| run.send("POST", "/api/bottles/catch", as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        let opener = self.owner(session);
        let mut candidates = self.inside(within.unwrap_or([0.0, 0.0, 90.0, 180.0]));
        candidates.retain(|id| {
            let bottle = &self.world.bottles[id];
            bottle.owner != opener
                && bottle.open_within_m.is_none()
                && !bottle.openings.contains_key(&opener)
                && !bottle.reports.values().any(|report| report.is_open)
                && !self.world.has_blocked(bottle.owner, opener)
        });
        if candidates.is_empty() {
            return reply.is(no(404, "NOT_FOUND", "现在没有可以捞的漂流瓶"));
        }
        match reply.body()["data"]["bottle_id"].as_i64() {
            Some(id) if candidates.contains(&id) => {
                self.record_opening(id, opener, "捞到一个漂流瓶", &reply)
            }
            _ => Err(format!("expected one of {candidates:?}: {}", reply.response.text)),
        }
    }
}
