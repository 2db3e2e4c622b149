//! Reports of bottles and replies, and the deletion of bottles.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{no, ok, wrong};
use super::run::{Carried, Outcome, Run};
use super::sea::no_such;
use super::teacher::{Subject, subject};
use super::thread_rules::forbidden;
use super::threads::Report;
use super::words::{self, Flaw, Who, Word};

#[derive(Clone, Debug)]
pub(super) enum Step {
    DeleteBottle { who: Who, bottle: usize },
    Report { who: Who, what: Subject, at: usize, reason: Word },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::somebody;
    let reason = select(vec!["It is unkind.", "no", "  "]);
    prop_oneof![
        1 => (somebody(), 0..60_usize).prop_map(|(who, bottle)| Step::DeleteBottle { who, bottle }),
        6 => (somebody(), subject(), 0..60_usize, reason)
            .prop_map(|(who, what, at, reason)| Step::Report { who, what, at, reason }),
    ]
}

impl Run {
    pub(super) fn reports(&mut self, step: &Step) -> Outcome {
        match step {
            Step::DeleteBottle { who, bottle } => self.delete_bottle(*who, *bottle),
            Step::Report { who, what: Subject::Bottle, at, reason } => {
                self.report(*who, self.bottle_at(*at), reason)
            }
            Step::Report { who, what: Subject::Reply, at, reason } => {
                self.report_reply(*who, self.reply_at(*who, *at), reason)
            }
        }
    }

    fn delete_bottle(&mut self, who: Who, at: usize) -> Outcome {
        let id = self.bottle_at(at);
        let path = format!("/api/bottles/{id}");
        let send = |run: &Self, as_: &Carried| run.send("DELETE", &path, as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        if let Some(refused) = self.not_owner(id, self.owner(session)) {
            return reply.is(refused);
        }
        self.world.bottles.remove(&id);
        self.world.remove_orphans(None);
        reply.is(ok("删除漂流瓶成功", json!({})))
    }

    fn report(&mut self, who: Who, id: i64, reason: Word) -> Outcome {
        let (path, body) = (format!("/api/bottles/{id}/report"), json!({ "reason": reason }));
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        if reason.trim().is_empty() {
            return reply.is(wrong("reason", Flaw::Empty));
        }
        let reporter = self.owner(session);
        let visible = self.world.visible(id, reporter).filter(|bottle| bottle.is_on_sea());
        let Some(bottle) = visible else { return reply.is(no_such(id)) };
        if bottle.owner == reporter {
            return reply.is(no(403, "FORBIDDEN", "不能举报自己的漂流瓶"));
        }
        let threshold = self.reports_to_hide as usize;
        let (mut is_first, mut is_settled) = (true, false);
        if let Some(bottle) = self.world.bottles.get_mut(&id) {
            is_first = !bottle.reports.contains_key(&reporter);
            let report =
                bottle.reports.entry(reporter).or_insert_with(|| Report::new(reason, &reply));
            is_settled = !report.is_open;
            let open = bottle.reports.values().filter(|report| report.is_open).count();
            if open >= threshold {
                self.world.set_hidden(id, true, reply.before.clone());
            }
        }
        reply.is(reported_as(is_first, is_settled))
    }

    fn report_reply(&mut self, who: Who, id: i64, reason: Word) -> Outcome {
        let (path, body) = (format!("/api/replies/{id}/report"), json!({ "reason": reason }));
        let send = |run: &Self, as_: &Carried| run.send("POST", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        if reason.trim().is_empty() {
            return reply.is(wrong("reason", Flaw::Empty));
        }
        let reporter = self.owner(session);
        if let Some(refused) = self.not_visible(id, reporter) {
            return reply.is(refused);
        }
        let Some(reported) = self.world.replies.get_mut(&id) else { return Err("no reply".into()) };
        if reported.author == reporter {
            return reply.is(forbidden("own_reply", "不能举报自己的回复"));
        }
        let is_first = !reported.reports.contains_key(&reporter);
        let report =
            reported.reports.entry(reporter).or_insert_with(|| Report::new(reason, &reply));
        let is_settled = !report.is_open;
        let open = reported.reports.values().filter(|report| report.is_open).count();
        if open >= self.reports_to_hide as usize {
            self.set_reply_hidden(id, true, reply.before.clone());
        }
        reply.is(reported_as(is_first, is_settled))
    }
}

/// The answer to a report: the account may have made an earlier one, which a teacher may have settled.
fn reported_as(is_first: bool, is_settled: bool) -> (u16, Value) {
    let data = match (is_first, is_settled) {
        (true, _) => json!({}),
        (false, false) => json!({ "repeated": true }),
        (false, true) => json!({ "settled": true }),
    };
    ok("举报成功", data)
}
