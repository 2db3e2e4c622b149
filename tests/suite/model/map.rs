//! The bottles in a rectangle, found by comparing every bottle.

use std::collections::BTreeSet;

use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bottle::{base, ok};
use super::run::{Outcome, Reply, Run};
use super::sea::place;
use super::words::{self, Who, Word};
use super::world::{Bottle, By};
use crate::geometry::{angle, oracle, visitors_cell};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Nearby { base: Word, who: Who, rectangle: [f64; 4], limit: Option<usize>, after: Option<i64> },
    Counts { who: Who, rectangle: [f64; 4], zoom: u8 },
}

pub(super) fn rectangle() -> impl Strategy<Value = [f64; 4]> {
    let span = prop_oneof![0.0..0.5, 0.0..200.0, Just(0.0), Just(180.0)];
    (place(), span.clone(), span).prop_map(|((lat, lon), high, wide)| [lat, lon, high, wide])
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::who;
    let limit = option::weighted(0.4, 1..20_usize);
    let after = option::weighted(0.3, 0..200_i64);
    prop_oneof![
        3 => (base(), who(), rectangle(), limit, after).prop_map(
            |(base, who, rectangle, limit, after)| Step::Nearby { base, who, rectangle, limit, after }
        ),
        1 => (who(), rectangle(), 0..=22_u8)
            .prop_map(|(who, rectangle, zoom)| Step::Counts { who, rectangle, zoom }),
    ]
}

fn query([lat, lon, high, wide]: [f64; 4]) -> String {
    format!("latitude={lat}&longitude={lon}&latitude_span={high}&longitude_span={wide}")
}

fn fail(what: &str, reply: &Reply) -> Outcome {
    Err(format!("{what}: {}", reply.response.text))
}

impl Run {
    pub(super) fn map(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Nearby { base, who, rectangle, limit, after } => {
                self.nearby(base, *who, *rectangle, (*limit, *after))
            }
            Step::Counts { who, rectangle, zoom } => self.counts(*who, *rectangle, *zoom),
        }
    }

    pub(super) fn inside(&self, rectangle: [f64; 4]) -> BTreeSet<i64> {
        let bottles = self.world.bottles.iter();
        let inside = |bottle: &Bottle| bottle.is_on_sea() && oracle(rectangle, bottle.place);
        bottles.filter(|(_, bottle)| inside(bottle)).map(|(id, _)| *id).collect()
    }

    pub(super) fn nearby(
        &mut self,
        base: &str,
        who: Who,
        rectangle: [f64; 4],
        (limit, after): (Option<usize>, Option<i64>),
    ) -> Outcome {
        let part =
            [("limit", limit.map(|n| n.to_string())), ("after", after.map(|n| n.to_string()))];
        let part: Vec<_> =
            part.iter().filter_map(|(key, n)| Some(format!("&{key}={}", n.as_ref()?))).collect();
        let path = format!("{base}/bottles/nearby?{}{}", query(rectangle), part.concat());
        let Some((session, reply)) = self.get(who, &path)? else { return Ok(()) };
        let viewer = self.owner(session);
        let all = self.inside(rectangle);
        let limit = limit.unwrap_or(usize::MAX);
        let rest: Vec<i64> = all.iter().copied().filter(|id| *id > after.unwrap_or(0)).collect();
        let truncated = rest.len() > limit;
        let shown = match after {
            None if truncated => self.nearest(rectangle, &all, limit, &reply)?,
            _ => rest.into_iter().take(limit).collect(),
        };
        let total = reply.body()["data"]["total"].as_u64().unwrap_or(0) as usize;
        let exact = after.is_none() && !truncated;
        if exact && total != all.len() || total < shown.len() {
            return fail(&format!("of {} in all", all.len()), &reply);
        }
        let next = shown.last().filter(|_| truncated && after.is_some());
        let bottles: Vec<Value> = shown.iter().map(|id| self.sighting(*id, viewer)).collect();
        let [lat, lon, high, wide] = rectangle;
        reply.is(ok(
            "查询附近的漂流瓶成功",
            json!({ "center": { "latitude": lat, "longitude": lon },
                "span": { "latitude": high, "longitude": wide },
                "bottles": bottles, "total": total, "truncated": truncated, "next": next }),
        ))
    }

    fn sighting(&self, id: i64, viewer: i64) -> Value {
        let bottle = &self.world.bottles[&id];
        let (latitude, longitude) = bottle.place;
        let mut view = json!({ "bottle_id": id, "style": bottle.style, "is_owner": bottle.owner == viewer,
            "location": { "formatted_address": "sea", "latitude": latitude, "longitude": longitude } });
        if let Some(metres) = bottle.open_within_m {
            view["open_within_m"] = json!(metres);
        }
        view
    }

    /// The bottles of the answer, if none of the others in the rectangle is nearer to the centre.
    fn nearest(
        &self,
        [lat, lon, ..]: [f64; 4],
        all: &BTreeSet<i64>,
        limit: usize,
        reply: &Reply,
    ) -> Result<Vec<i64>, String> {
        const SAME: f64 = 1e-7;
        let far = |id: &i64| angle((lat, lon), self.world.bottles[id].place);
        let body = reply.body();
        let shown = body["data"]["bottles"].as_array().into_iter().flatten();
        let shown: Vec<i64> = shown.filter_map(|bottle| bottle["bottle_id"].as_i64()).collect();
        let different: BTreeSet<i64> = shown.iter().copied().collect();
        let in_order = shown.is_sorted_by(|a, b| far(a) <= far(b) + SAME);
        let farthest = shown.iter().map(far).fold(0.0, f64::max);
        let nearest_other = all.difference(&different).map(far).fold(f64::INFINITY, f64::min);
        let right = shown.len() == limit && different.len() == limit && different.is_subset(all);
        if right && in_order && farthest <= nearest_other + SAME {
            return Ok(shown);
        }
        Err(format!("not the {limit} nearest of {all:?}: {}", reply.response.text))
    }

    /// A client without a session is a visitor, who sees cells of 360 / 2^12 degrees or more, merged towards the
    /// poles.
    fn counts(&mut self, who: Who, rectangle: [f64; 4], zoom: u8) -> Outcome {
        let path = format!("/api/bottles/counts?{}&zoom={zoom}", query(rectangle));
        let reply = self.send("GET", &path, &self.carry(By::Bottle, who), &Value::Null);
        let data = reply.body()["data"].take();
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let size = number(&data["cell"]["latitude"]);
        let level = (360.0 / size).log2();
        let is_visitor = self.whose(who).is_none();
        let finest = if is_visitor { 12.0 } else { 14.0 };
        if reply.response.status != 200 || level.fract() != 0.0 || level > finest {
            return fail("no counts of a known size", &reply);
        }
        let cell = |lat: f64, lon: f64| {
            if is_visitor {
                return visitors_cell(size, (lat, lon));
            }
            let row = ((lat + 90.0) / size).floor().min(180.0 / size - 1.0);
            (row as i64, ((lon + 180.0) / size).floor().min(360.0 / size - 1.0) as i64)
        };
        let mut seen = BTreeSet::new();
        let mut total = 0;
        for found in data["cells"].as_array().into_iter().flatten() {
            let at = cell(number(&found["latitude"]), number(&found["longitude"]));
            let bottles = self.world.bottles.values().filter(|bottle| bottle.is_on_sea());
            let count = bottles.filter(|bottle| cell(bottle.place.0, bottle.place.1) == at).count();
            if !seen.insert(at) || count == 0 || found["count"] != count {
                return fail(&format!("{count} in cell {at:?}"), &reply);
            }
            total += count;
        }
        let places = self.inside(rectangle).into_iter().map(|id| self.world.bottles[&id].place);
        let all_seen = places.into_iter().all(|(lat, lon)| seen.contains(&cell(lat, lon)));
        if all_seen && data["total"] == total { Ok(()) } else { fail("not all counted", &reply) }
    }
}
