//! Delivers messages to the webhook while the server runs.

use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::tokio::time::interval;
use rocket::{Orbit, Rocket, tokio};

use crate::domain::webhook::Webhook;
use crate::http::webhook::Deliveries;
use crate::store::Store;

/// Returns a fairing that sends messages, and checks each minute whether the disk is nearly full.
pub(super) fn deliver() -> AdHoc {
    AdHoc::on_liftoff("webhook", |rocket: &Rocket<Orbit>| {
        let deliveries = rocket.state::<Deliveries>().cloned();
        let watched = rocket.state::<Webhook>().cloned().zip(rocket.state::<Arc<Store>>().cloned());
        Box::pin(async move {
            if let Some(deliveries) = deliveries {
                tokio::spawn(deliveries.run());
            }
            if let Some((webhook, store)) = watched {
                tokio::spawn(watch_disk(webhook, store));
            }
        })
    })
}

async fn watch_disk(webhook: Webhook, store: Arc<Store>) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        let noted = match store.room() {
            Ok(free_bytes) => webhook.note_free_space(free_bytes).await.map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        if let Err(e) = noted {
            tracing::warn!(
                "cannot check the free space of the disk: {e}; trying again in a minute"
            );
        }
    }
}
