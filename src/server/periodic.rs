//! The work that the server does by itself: at intervals, and when it shuts down.

use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::{Orbit, Rocket, tokio};
use tokio::time::interval;

use crate::domain::accounts::Accounts;
use crate::domain::bottles::Bottles;
use crate::domain::maintenance::Maintenance;
use crate::model::clock::Clock;
use crate::store::Store;

/// Returns a fairing that deletes expired data every minute.
pub(super) fn housekeeping() -> AdHoc {
    AdHoc::on_liftoff("housekeeping", |rocket: &Rocket<Orbit>| {
        let accounts = rocket.state::<Accounts>().cloned();
        let bottles = rocket.state::<Bottles>().cloned();
        let maintenance = rocket.state::<Maintenance>().cloned();
        Box::pin(async move {
            tokio::spawn(async move {
                let mut minutes = interval(Duration::from_secs(60));
                while let (Some(accounts), Some(bottles)) = (&accounts, &bottles) {
                    minutes.tick().await;
                    if let Some(maintenance) = &maintenance {
                        maintenance.save().await;
                    }
                    if let Err(e) = accounts.delete_expired().await {
                        tracing::warn!(
                            "cannot delete expired sessions, invitations, access tokens and classes: {e}; trying again in a minute"
                        );
                    }
                    if let Err(e) = bottles.delete_old_past_openings().await {
                        tracing::warn!(
                            "cannot delete old cursors of deleted openings: {e}; trying again in a minute"
                        );
                    }
                }
            });
        })
    })
}

/// Returns a fairing that ends bottles at their time, within a second.
pub(super) fn ending() -> AdHoc {
    AdHoc::on_liftoff("ending bottles", |rocket: &Rocket<Orbit>| {
        let expiry = rocket.state::<Bottles>().map(|bottles| bottles.expiry().clone());
        Box::pin(async move {
            tokio::spawn(async move {
                let mut seconds = interval(Duration::from_secs(1));
                while let Some(expiry) = &expiry {
                    seconds.tick().await;
                    expiry.settle().await;
                }
            });
        })
    })
}

/// Returns a fairing that makes the backup of each night, within a second of its hour.
pub(super) fn nightly_backups() -> AdHoc {
    AdHoc::on_liftoff("nightly backups", |rocket: &Rocket<Orbit>| {
        let maintenance = rocket.state::<Maintenance>().cloned();
        Box::pin(async move {
            tokio::spawn(async move {
                let mut seconds = interval(Duration::from_secs(1));
                while let Some(maintenance) = &maintenance {
                    seconds.tick().await;
                    maintenance.run_if_due().await;
                }
            });
        })
    })
}

/// Returns a fairing that stores a heartbeat at this interval; 0 for never.
pub(super) fn heartbeat(seconds: u32) -> AdHoc {
    AdHoc::on_liftoff("heartbeat", move |rocket: &Rocket<Orbit>| {
        let state = rocket.state::<Arc<Store>>().cloned().zip(rocket.state::<Clock>().cloned());
        Box::pin(async move {
            let Some((store, clock)) = state.filter(|_| seconds > 0) else { return };
            tokio::spawn(async move {
                let mut beats = interval(Duration::from_secs(seconds.into()));
                loop {
                    beats.tick().await;
                    if let Err(e) = store.beat(clock.now()).await {
                        tracing::warn!("cannot store the heartbeat: {e}");
                    }
                }
            });
        })
    })
}

/// Returns a fairing that stops the backup in progress when the server shuts down.
pub(super) fn stopping_backups() -> AdHoc {
    AdHoc::on_shutdown("stopping backups", |rocket: &Rocket<Orbit>| {
        let maintenance = rocket.state::<Maintenance>().cloned();
        Box::pin(async move {
            if let Some(maintenance) = maintenance {
                maintenance.shut_down().await;
            }
        })
    })
}
