//! Sends messages to the webhook.

mod client;
mod dispatcher;
mod message;

use std::time::Duration;

use crate::domain::webhook::{Message, Outcome, Target, Webhook};
use crate::model::error::Result;
use crate::model::webhook::SigningSecret;
use client::Client;

/// The limits on deliveries.
#[derive(Clone, Debug)]
pub struct DeliveryLimits {
    /// The time for a whole exchange: the address, the connection, the request and the response.
    pub timeout: Duration,
    /// The hosts to which messages may go although their address is not public.
    pub private_hosts: Vec<String>,
}

/// Delivers messages to the webhook. Clones share their state.
#[derive(Clone)]
pub struct Deliveries {
    webhook: Webhook,
    client: Client,
}

/// The outcome of a test message.
#[derive(Debug)]
pub struct TestResult {
    /// The status that the receiver answered with, if it answered.
    pub status: Option<u16>,
    /// The reason why the message was not delivered; `None` if it was.
    pub failure: Option<String>,
}

impl Deliveries {
    /// Creates the deliveries of `webhook`.
    pub fn new(webhook: Webhook, limits: DeliveryLimits) -> Self {
        Self { webhook, client: Client::new(limits) }
    }

    /// Sends a message that [`Webhook::begin_test`] returned, once.
    pub async fn test(
        &self,
        (target, secret, message): (Target, SigningSecret, Message),
    ) -> Result<TestResult> {
        let (status, outcome) = self.send(&target, &secret, &message).await;
        let failure = match &outcome {
            Outcome::Delivered => None,
            Outcome::Gone(reason) | Outcome::Failed(reason) => Some(reason.clone()),
        };
        self.webhook.record_test(outcome).await?;
        Ok(TestResult { status, failure })
    }

    /// Sends a message. Returns the status of the response, if there was one, and the outcome.
    async fn send(
        &self,
        target: &Target,
        secret: &SigningSecret,
        message: &Message,
    ) -> (Option<u16>, Outcome) {
        let seconds = self.webhook.now_seconds();
        let request = match message::request(target, secret, message, seconds) {
            Ok(request) => request,
            Err(e) => return (None, Outcome::Failed(format!("the request is not valid: {e}"))),
        };
        match self.client.send(&target.url, request).await {
            Ok(status @ 200..300) => (Some(status), Outcome::Delivered),
            Ok(410) => {
                (Some(410), Outcome::Gone("the receiver answered 410: it wants no more".to_owned()))
            }
            Ok(status @ 300..400) => {
                let reason = format!("the receiver answered {status}; redirects are not followed");
                (Some(status), Outcome::Failed(reason))
            }
            Ok(status) => {
                (Some(status), Outcome::Failed(format!("the receiver answered {status}")))
            }
            Err(reason) => (None, Outcome::Failed(reason)),
        }
    }
}
