//! All that there is, side by side.

use bottle::store::check::check;

use super::run::{Outcome, Run};
use super::sea::Page;
use super::words::{Password, Who};
use super::world::KINDS;

impl Run {
    /// Every list of every account, by whoever has just logged in there.
    pub(super) fn compare_lists(&mut self) -> Outcome {
        let everyone: Vec<i64> = self.world.accounts.keys().copied().collect();
        let (just_now, all) = (Who::Recent(0), Page::default());
        for id in everyone {
            let name = self.world.accounts[&id].username;
            self.log_in("/api", name, Password::Right)?;
            self.created("/api", just_now, all)?;
            self.opened("/api", just_now, all)?;
            self.nearby("/api", just_now, [0.0, 0.0, 90.0, 180.0], (None, None))?;
            let own: Vec<i64> = self
                .world
                .bottles
                .iter()
                .filter(|(_, b)| b.owner == id)
                .map(|(id, _)| *id)
                .collect();
            for bottle in own {
                self.openers("/api", just_now, bottle, all)?;
                self.threads(just_now, bottle, all)?;
            }
            self.list_items(just_now, all)?;
            self.blocks(just_now, all)?;
            self.compare_threads(id)?;
            // Ledger lets nobody in with a blank password.
            if self.world.accounts[&id].password.trim().is_empty() {
                continue;
            }
            self.ledger_log_in(name, Password::Right)?;
            for kind in 0..KINDS.len() {
                self.list_holdings(just_now, kind)?;
            }
        }
        Ok(())
    }

    /// Every thread of the account, which reads it.
    fn compare_threads(&mut self, account: i64) -> Outcome {
        let mut threads: Vec<(i64, i64)> = Vec::new();
        for (id, bottle) in &self.world.bottles {
            let openers = bottle.threads.keys().copied();
            let own = openers.filter(|opener| bottle.owner == account || *opener == account);
            threads.extend(own.map(|opener| (*id, opener)));
        }
        for (bottle, opener) in threads {
            self.replies(Who::Recent(0), bottle, Some(opener), Page::default())?;
        }
        Ok(())
    }

    /// The file is sound, and holds as much as the model and no more.
    pub(super) fn compare_file(&self) -> Outcome {
        let db = rusqlite::Connection::open(self.app().database()).unwrap();
        let world = &self.world;
        let now = self.now();
        let live = world.sessions.iter().filter(|s| !s.over && s.ends.1 >= now).count();
        let on_sea = world.bottles.values().filter(|bottle| bottle.is_on_sea()).count();
        let openings = world.bottles.values().map(|bottle| bottle.openings.len()).sum();
        let threads = world.bottles.values().map(|bottle| bottle.threads.len()).sum();
        let items = world.accounts.values().map(|account| account.inbox.len()).sum();
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let expected = [
            ("users", world.accounts.len()),
            ("bottles", world.bottles.len()),
            ("bottles_rtree", on_sea),
            ("map_bottles", on_sea),
            ("messages", world.bottles.len()),
            ("openings", openings),
            ("threads", threads),
            ("replies", world.replies.len()),
            ("blocks", world.blocks.len()),
            ("inbox_items", items),
            ("cards", world.holdings[0].len()),
            ("members", world.holdings[1].len()),
            ("divisions", world.holdings[2].len()),
            ("pragma_foreign_key_check", 0),
            ("cells WHERE count <= 0", 0),
            (
                "(SELECT level, y, x, count(*) AS bottles FROM bottle_cells GROUP BY 1, 2, 3)
                 FULL JOIN cells USING (level, y, x) WHERE bottles IS NOT count",
                0,
            ),
            ("pragma_integrity_check WHERE integrity_check <> 'ok'", 0),
            (&format!("sessions WHERE expires_at > {now}"), live),
        ];
        for (what, expected) in expected {
            let got = count(&format!("SELECT count(*) FROM {what}"));
            if got != expected as i64 {
                return Err(format!("expected {expected} {what}, got {got}"));
            }
        }
        let findings = check(&self.app().database()).unwrap();
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    }
}
