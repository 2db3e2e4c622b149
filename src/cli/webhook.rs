//! `bottle webhook`: where the server sends what happens, also while the database is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bottle::domain::webhook::{Status, Target, Webhook};
use bottle::http::webhook::Deliveries;
use bottle::model::clock::Clock;
use bottle::model::error::Error;
use bottle::model::webhook::{EventSet, Form, WebhookUrl};
use bottle::server::config::Settings;
use bottle::store::{self, OpenError, webhook};
use clap::Subcommand;
use serde_json::{Value, json};

use super::user::{self, Common};
use super::{database, open_shared, settings, wait_for};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the webhook, and how its deliveries went
    #[command(after_help = "Example: bottle webhook show --json")]
    Show,
    /// Set the webhook; prints the secret that signs its messages when it is new
    #[command(after_help = "\
Examples:
  bottle webhook set https://example.org/bottle
  bottle webhook set https://ntfy.sh/our-class --form text --events bottle.reported,backup.failed")]
    Set {
        /// The address to which the server sends, http: or https:
        url: String,
        /// JSON for programs, or text as ntfy shows it
        #[arg(long, value_name = "json|text", default_value = "json")]
        form: String,
        /// The events that it receives [default: all]
        #[arg(long, value_name = "EVENT,...", value_delimiter = ',')]
        events: Vec<String>,
    },
    /// Replace the secret that signs messages, and print it
    #[command(after_help = "Example: bottle webhook secret")]
    Secret,
    /// Send a test message, once
    #[command(after_help = "Example: bottle webhook test")]
    Test,
    /// Turn the webhook off, and delete the messages that wait
    #[command(after_help = "Example: bottle webhook off")]
    Off,
}

/// Runs `command`.
pub(super) fn run(command: Command, common: Common) -> Result<(), String> {
    let Common { db, json } = common;
    match command {
        Command::Show => show(&database(db)?, json),
        Command::Set { url, form, events } => {
            let target = target(&url, &form, &events).map_err(user::message)?;
            let (webhook, _) = open(db)?;
            wait_for(set(&webhook, target, json))
        }
        Command::Secret => {
            let (webhook, _) = open(db)?;
            wait_for(replace_secret(&webhook, json))
        }
        Command::Test => {
            let (webhook, settings) = open(db)?;
            wait_for(test(&webhook, &settings, json))
        }
        Command::Off => {
            let (webhook, _) = open(db)?;
            wait_for(turn_off(&webhook, json))
        }
    }
}

fn open(db: Option<PathBuf>) -> Result<(Webhook, Settings), String> {
    let settings = settings()?;
    let store = open_shared(db, &settings)?;
    Ok((Webhook::new(Arc::clone(&store), Clock::default()), settings))
}

fn target(url: &str, form: &str, events: &[String]) -> Result<Target, Error> {
    Ok(Target {
        url: WebhookUrl::parse(url)?,
        form: Form::parse(form)?,
        events: match events {
            [] => EventSet::all(),
            names => EventSet::parse(names.iter().map(String::as_str))?,
        },
    })
}

async fn set(webhook: &Webhook, target: Target, json: bool) -> Result<(), String> {
    let host = target.url.host().to_owned();
    let secret = webhook.set(None, target).await.map_err(user::message)?;
    let secret = secret.as_ref().map(|secret| secret.reveal());
    let mut value = json!({ "webhook": true });
    if let Some(secret) = secret {
        value["secret"] = json!(secret);
    }
    user::print_result(json, &value, || match secret {
        Some(secret) => format!("{}\nThe webhook is at {host}.", secret_text(secret)),
        None => format!("The webhook is at {host}; its secret stays."),
    })
}

fn secret_text(secret: &str) -> String {
    format!("Secret: {secret}\nThe secret is shown this once.")
}

async fn replace_secret(webhook: &Webhook, json: bool) -> Result<(), String> {
    let secret = webhook.replace_secret(None).await.map_err(message)?;
    let value = json!({ "secret": secret.reveal() });
    user::print_result(json, &value, || secret_text(secret.reveal()))
}

async fn test(webhook: &Webhook, settings: &Settings, json: bool) -> Result<(), String> {
    let test = webhook.begin_test(None).await.map_err(message)?;
    let deliveries = Deliveries::new(webhook.clone(), settings.deliveries());
    let result = deliveries.test(test).await.map_err(message)?;
    match result.failure {
        Some(reason) => Err(format!("the test message was not delivered: {reason}")),
        None => {
            let value = json!({ "delivered": true, "status": result.status });
            user::print_result(json, &value, || "the test message was delivered".to_owned())
        }
    }
}

async fn turn_off(webhook: &Webhook, json: bool) -> Result<(), String> {
    webhook.turn_off(None).await.map_err(message)?;
    user::print_result(json, &json!({ "webhook": false }), || "the webhook is off".to_owned())
}

fn message(error: Error) -> String {
    match error {
        Error::NoWebhook => "there is no webhook; bottle webhook set ADDRESS makes one".to_owned(),
        error => user::message(error),
    }
}

fn show(db: &Path, json: bool) -> Result<(), String> {
    let read = store::read(db, |db| Ok::<_, OpenError>(webhook::status(db)));
    let status = read.map_err(|e| e.to_string())?.map_err(user::message)?;
    let value = status.as_ref().map_or_else(|| json!({}), to_json);
    user::print_result(json, &value, || match &status {
        Some(status) => describe(status),
        None => "the webhook is off".to_owned(),
    })
}

fn to_json(status: &Status) -> Value {
    let mut value = json!({
        "url": status.target.url.reveal(),
        "form": status.target.form.as_str(),
        "events": status.target.events.names(),
        "waiting": status.waiting,
        "given_up": status.given_up,
        "dropped": status.dropped,
    });
    let times = [("last_success_at", status.last_success_at), ("gone_at", status.gone_at)];
    for (name, time) in times {
        if let Some(time) = time {
            value[name] = json!(time);
        }
    }
    if let Some((at, reason)) = &status.last_failure {
        value["last_failure_at"] = json!(at);
        value["last_failure"] = json!(reason);
    }
    value
}

fn describe(status: &Status) -> String {
    let Status { target, waiting, given_up, dropped, .. } = status;
    let mut lines = vec![
        format!("Address: {}", target.url.reveal()),
        format!("Form: {}", target.form.as_str()),
        format!("Events: {}", target.events.names().join(", ")),
        format!("Messages: {waiting} waiting, {given_up} given up, {dropped} dropped"),
    ];
    if let Some(at) = status.last_success_at {
        lines.push(format!("Last delivery: {at}"));
    }
    if let Some((at, reason)) = &status.last_failure {
        lines.push(format!("Last failure: {at}, {reason}"));
    }
    if let Some(at) = status.gone_at {
        lines.push(format!("Nothing is sent since {at}: set the webhook again to go on"));
    }
    lines.join("\n")
}
