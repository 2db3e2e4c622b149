//! What only a teacher may do: hide and show, mute, freeze, and list reported or hidden bottles.

use std::collections::BTreeMap;

use bottle::model::clock::Timestamp;
use bottle_test_support::run_ok_with_input;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bottle::{no, ok};
use super::run::{Carried, Outcome, Proof, Reply, Run};
use super::sea::no_such;
use super::thread_rules::no_such_reply;
use super::threads::{Item, Report};
use super::words::{self, Password, Who};
use super::world::{Account, By};

/// A decision, by a teacher's session or by any.
#[derive(Clone, Debug)]
pub(super) struct Step {
    who: Option<Who>,
    decision: Decision,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Bottle,
    Reply,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    Hide { what: Subject, at: usize, hidden: bool },
    Mute { account: usize, minutes: i64 },
    Freeze { frozen: bool },
    ListCases { hidden: bool },
}

pub(super) fn subject() -> impl Strategy<Value = Subject> {
    select(vec![Subject::Bottle, Subject::Reply])
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let decision = prop_oneof![
        10 => (subject(), 0..60_usize, any::<bool>())
            .prop_map(|(what, at, hidden)| Decision::Hide { what, at, hidden }),
        2 => (0..9_usize, select(vec![0, 1, 60, 3000_i64]))
            .prop_map(|(account, minutes)| Decision::Mute { account, minutes }),
        3 => prop::bool::weighted(0.2).prop_map(|frozen| Decision::Freeze { frozen }),
        3 => any::<bool>().prop_map(|hidden| Decision::ListCases { hidden }),
    ];
    let who = prop::option::weighted(0.1, words::who());
    (who, decision).prop_map(|(who, decision)| Step { who, decision })
}

impl Run {
    pub(super) fn teacher(&mut self, step: &Step) -> Outcome {
        let who = step.who.map_or_else(|| self.teacher_session(), Ok)?;
        match step.decision {
            Decision::Hide { what: Subject::Bottle, at, hidden } => {
                self.hide(who, self.bottle_at(at), hidden)
            }
            Decision::Hide { what: Subject::Reply, at, hidden } => {
                let ids: Vec<i64> = self.world.replies.keys().copied().collect();
                let missing = self.world.last_reply + 1;
                let id = ids.get(at % (ids.len() + 1)).copied().unwrap_or(missing);
                self.hide_reply(who, id, hidden)
            }
            Decision::Mute { account, minutes } => self.mute(who, account, minutes),
            Decision::Freeze { frozen } => self.freeze(who, frozen),
            Decision::ListCases { hidden } => self.list_cases(who, hidden),
        }
    }

    /// A session of a teacher, who is added by the command line if there is none.
    fn teacher_session(&mut self) -> Result<Who, String> {
        let is_teachers = |who: &Who| match self.carry(By::Bottle, *who).proof {
            Proof::Good(session) => self.world.is_teacher(self.owner(session)),
            _ => false,
        };
        if let Some(who) = (0..8).map(Who::Recent).find(is_teachers) {
            return Ok(who);
        }
        let teacher = self.world.accounts.values().find(|account| account.is_teacher);
        match teacher.map(|account| account.username) {
            Some(name) => self.log_in("/api", name, Password::Right)?,
            None => {
                let names = ["grace", "hedy", "ida"];
                let free = names.into_iter().find(|name| self.world.named(name).is_none());
                let name = free.ok_or("no name for a teacher")?;
                let args = ["user", "add", name, "--teacher"];
                run_ok_with_input(self.app().folder(), &args, "pass\n");
                self.meet(Account { is_teacher: true, ..Account::new(name, "pass") })?;
            }
        }
        Ok(Who::Recent(0))
    }

    /// Hides a reply or shows it again, and informs its author, unless it is in that state.
    pub(super) fn set_reply_hidden(&mut self, id: i64, is_hidden: bool, since: String) {
        let found = self.world.replies.get_mut(&id).filter(|it| it.is_hidden != is_hidden);
        let Some(reply) = found else { return };
        reply.is_hidden = is_hidden;
        let (author, bottle) = (reply.author, reply.bottle);
        if is_hidden {
            self.world.remove_items(|_, item| item.reply == Some(id));
        }
        let kind = if is_hidden { "hidden" } else { "shown" };
        self.world.add_item(author, Item { reply: Some(id), ..Item::since(kind, bottle, since) });
    }

    /// Sends a request that only a teacher may make: `None` if it was rightly rejected.
    fn as_teacher(
        &mut self,
        who: Who,
        (method, path, body): (&str, &str, Value),
    ) -> Result<Option<Reply>, String> {
        let send = |run: &Self, as_: &Carried| run.send(method, path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(None) };
        if self.world.is_teacher(self.owner(session)) {
            return Ok(Some(reply));
        }
        reply.is(no(403, "FORBIDDEN", "只有老师可以这样做")).map(|()| None)
    }

    fn hide(&mut self, who: Who, id: i64, hidden: bool) -> Outcome {
        let path = format!("/api/teacher/bottles/{id}");
        let request = ("PUT", path.as_str(), json!({ "hidden": hidden }));
        let Some(reply) = self.as_teacher(who, request)? else { return Ok(()) };
        let Some(bottle) = self.world.bottles.get_mut(&id) else { return reply.is(no_such(id)) };
        bottle.reports.values_mut().for_each(|report| report.is_open = false);
        self.world.set_hidden(id, hidden, reply.before.clone());
        reply.is(ok(if hidden { "已隐藏" } else { "已恢复" }, json!({})))
    }

    fn hide_reply(&mut self, who: Who, id: i64, hidden: bool) -> Outcome {
        let path = format!("/api/teacher/replies/{id}");
        let request = ("PUT", path.as_str(), json!({ "hidden": hidden }));
        let Some(reply) = self.as_teacher(who, request)? else { return Ok(()) };
        let Some(found) = self.world.replies.get_mut(&id) else {
            return reply.is(no_such_reply(id));
        };
        found.reports.values_mut().for_each(|report| report.is_open = false);
        self.set_reply_hidden(id, hidden, reply.before.clone());
        reply.is(ok(if hidden { "已隐藏" } else { "已恢复" }, json!({})))
    }

    /// Mutes an account, and sees in the list of muted ones until when.
    fn mute(&mut self, who: Who, account: usize, minutes: i64) -> Outcome {
        let missing = self.world.last_account + 1;
        let id = self.world.accounts.keys().nth(account).copied().unwrap_or(missing);
        let path = format!("/api/teacher/users/{id}");
        let request = ("PUT", path.as_str(), json!({ "muted_minutes": minutes }));
        let Some(reply) = self.as_teacher(who, request)? else { return Ok(()) };
        if !self.world.accounts.contains_key(&id) {
            return reply.is(no(404, "NOT_FOUND", format!("用户{id}不存在")));
        }
        reply.is(ok(if minutes > 0 { "已禁言" } else { "已解除禁言" }, json!({})))?;
        let request = ("GET", "/api/teacher/sea", Value::Null);
        let Some(sea) = self.as_teacher(who, request)? else { return Err("no teacher".into()) };
        let muted_until = match minutes {
            0 => None,
            _ => Some(end_of_mute(id, minutes, &reply, &sea)?),
        };
        if let Some(account) = self.world.accounts.get_mut(&id) {
            account.muted_until = muted_until;
        }
        sea.is(ok("查询成功", self.sea_view()))
    }

    fn sea_view(&self) -> Value {
        let mut muted: Vec<(i64, Value)> = Vec::new();
        for (id, account) in &self.world.accounts {
            if let Some((end, until)) = account.muted_until.as_ref().filter(|it| it.0 > self.now())
            {
                let mut person = self.person(*id);
                person["muted_until"] = json!(until);
                muted.push((*end, person));
            }
        }
        muted.sort_by_key(|(end, _)| *end);
        let muted: Vec<Value> = muted.into_iter().map(|(_, person)| person).collect();
        json!({ "frozen": self.world.is_frozen, "muted": muted })
    }

    fn freeze(&mut self, who: Who, frozen: bool) -> Outcome {
        let request = ("PUT", "/api/teacher/sea", json!({ "frozen": frozen }));
        let Some(reply) = self.as_teacher(who, request)? else { return Ok(()) };
        self.world.is_frozen = frozen;
        reply.is(ok(if frozen { "已暂停扔瓶子" } else { "已恢复扔瓶子" }, json!({})))
    }

    /// The reported or hidden bottles, with the replies that are; the times of reports are not
    /// compared.
    fn list_cases(&mut self, who: Who, hidden: bool) -> Outcome {
        let state = if hidden { "hidden" } else { "reported" };
        let path = format!("/api/teacher/bottles?state={state}");
        let Some(reply) = self.as_teacher(who, ("GET", &path, Value::Null))? else { return Ok(()) };
        let mut body = reply.body();
        remove_report_times(&mut body);
        let bottles: Vec<Value> =
            self.world.bottles.keys().filter_map(|id| self.case_view(*id, hidden)).collect();
        let (_, expected) = ok("查询成功", json!({ "bottles": bottles, "next": null }));
        if body == expected { Ok(()) } else { Err(format!("expected {expected}\n     got {body}")) }
    }

    /// A bottle as a teacher sees it who decides about it, if there is something to decide.
    fn case_view(&self, id: i64, hidden: bool) -> Option<Value> {
        let bottle = &self.world.bottles[&id];
        let replies = self.world.replies.iter().filter(|(_, reply)| {
            reply.bottle == id && if hidden { reply.is_hidden } else { is_reported(&reply.reports) }
        });
        let mut cases: Vec<Value> = Vec::new();
        for (reply_id, reply) in replies {
            let mut view = self.reply_view(*reply_id);
            view["opener_id"] = json!(reply.opener);
            view["reports"] = self.report_views(&reply.reports);
            cases.push(view);
        }
        let is_case = if hidden { bottle.is_hidden } else { is_reported(&bottle.reports) };
        if !is_case && cases.is_empty() {
            return None;
        }
        let muted_until = self.world.accounts[&bottle.owner].muted_until.as_ref();
        let mut view = self.own_view(id);
        view["owner"] = self.person(bottle.owner);
        view["muted_until"] = json!(muted_until.map(|(_, until)| until));
        view["reports"] = self.report_views(&bottle.reports);
        if !cases.is_empty() {
            view["replies"] = Value::Array(cases);
        }
        Some(view)
    }

    /// The reports, settled ones included, oldest first.
    fn report_views(&self, reports: &BTreeMap<i64, Report>) -> Value {
        let mut reports: Vec<(&i64, &Report)> = reports.iter().collect();
        reports.sort_by_key(|(reporter, report)| (&report.since, **reporter));
        let view = |(reporter, report): (&i64, &Report)| {
            let mut view = json!({ "reporter": self.person(*reporter), "reason": report.reason });
            if !report.is_open {
                view["settled_at"] = Value::Null;
            }
            view
        };
        Value::Array(reports.into_iter().map(view).collect())
    }
}

fn is_reported(reports: &BTreeMap<i64, Report>) -> bool {
    reports.values().any(|report| report.is_open)
}

/// The end of a mute, from the list of muted accounts; it must fit the request for it.
fn end_of_mute(
    id: i64,
    minutes: i64,
    request: &Reply,
    sea: &Reply,
) -> Result<(i64, String), String> {
    let data = sea.body()["data"].take();
    let mut muted = data["muted"].as_array().into_iter().flatten();
    let until = muted.find(|muted| muted["user_id"] == id);
    let until = until.map(|muted| muted["muted_until"].clone()).unwrap_or_default();
    let until: Timestamp = serde_json::from_value(until).map_err(|e| e.to_string())?;
    let since = Timestamp::from_millis(until.millis() - minutes * 60_000).to_string();
    if (&request.before..=&request.after).contains(&&since) {
        return Ok((until.millis(), until.to_string()));
    }
    Err(format!("muted since {since}: {}", sea.response.text))
}

fn remove_report_times(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(remove_report_times),
        Value::Object(fields) => {
            fields.remove("reported_at");
            fields.entry("settled_at").and_modify(|time| *time = Value::Null);
            fields.values_mut().for_each(remove_report_times);
        }
        _ => {}
    }
}
