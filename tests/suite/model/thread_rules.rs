//! Who may write and read in which thread.

use serde_json::json;

use super::bottle::no;
use super::run::{Expected, Run};
use super::sea::no_such;
use super::threads::Side;

pub(super) fn forbidden(reason: &str, msg: &str) -> Expected {
    (403, json!({ "status": "FORBIDDEN", "msg": msg, "data": { "reason": reason } }))
}

fn missing_opener() -> Expected {
    let data = json!({ "field": "opener_id" });
    let msg = "缺少字段opener_id";
    (422, json!({ "status": "UNPROCESSABLE_ENTITY", "msg": msg, "data": data }))
}

pub(super) fn no_such_reply(id: i64) -> Expected {
    no(404, "NOT_FOUND", format!("回复{id}不存在"))
}

impl Run {
    /// The opener of the thread in which the account may write, and the other side.
    pub(super) fn thread_to_write(
        &self,
        account: i64,
        id: i64,
        opener: Option<i64>,
    ) -> Result<(i64, i64), Expected> {
        let world = &self.world;
        let bottle = world.bottles.get(&id).filter(|bottle| !bottle.has_ended);
        let bottle = bottle.ok_or_else(|| no_such(id))?;
        let owner = bottle.owner;
        let blocked = || forbidden("blocked", "您和对方之间有一方屏蔽了另一方");
        if owner != account {
            self.check_opener(account, id, opener)?;
            let is_blocked = world.has_blocked(account, owner);
            return if is_blocked { Err(blocked()) } else { Ok((account, owner)) };
        }
        let opener = opener.ok_or_else(missing_opener)?;
        if bottle.is_hidden {
            return Err(forbidden("hidden", "这个漂流瓶已被隐藏，不能回复"));
        }
        if !bottle.threads.contains_key(&opener) {
            return Err(forbidden("opener_first", "对方回复之后您才能回复"));
        }
        if world.has_blocked(opener, owner) || world.has_blocked(owner, opener) {
            return Err(blocked());
        }
        Ok((opener, opener))
    }

    fn check_opener(&self, account: i64, id: i64, opener: Option<i64>) -> Result<(), Expected> {
        let bottle = self.world.visible(id, account).ok_or_else(|| no_such(id))?;
        if opener.is_some_and(|opener| opener != account) {
            return Err(forbidden("not_participant", "您不能查看这段对话"));
        }
        if !bottle.openings.contains_key(&account) {
            return Err(forbidden("not_opened", "请先打开这个漂流瓶"));
        }
        Ok(())
    }

    /// The opener of the thread that the account may read, its side if it takes part, and the
    /// other side.
    pub(super) fn thread_to_read(
        &self,
        account: i64,
        id: i64,
        opener: Option<i64>,
    ) -> Result<(i64, Option<Side>, i64), Expected> {
        let bottle = self.world.bottles.get(&id).ok_or_else(|| no_such(id))?;
        if bottle.owner == account {
            let opener = opener.ok_or_else(missing_opener)?;
            return Ok((opener, Some(Side::Owner), opener));
        }
        let is_own = opener.is_none_or(|opener| opener == account);
        let takes_part = is_own && bottle.openings.contains_key(&account);
        if self.world.is_teacher(account) && !takes_part {
            let opener = opener.ok_or_else(missing_opener)?;
            return Ok((opener, None, opener));
        }
        self.check_opener(account, id, opener)?;
        Ok((account, Some(Side::Opener), bottle.owner))
    }

    /// The answer to an account that takes no part in the thread of the reply, or if it is hidden.
    pub(super) fn not_visible(&self, id: i64, account: i64) -> Option<Expected> {
        let reply = self.world.replies.get(&id).filter(|reply| !reply.is_hidden);
        let takes_part = reply.is_some_and(|reply| {
            reply.opener == account || self.world.bottles[&reply.bottle].owner == account
        });
        (!takes_part).then(|| no_such_reply(id))
    }
}
