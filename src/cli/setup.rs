//! The setup link: `bottle serve` prints it while there is no operator.

use std::fs;
use std::sync::Arc;

use bottle::model::token::Token;
use bottle::server::config::Settings;
use bottle::server::lan;
use bottle::store::Store;

use super::{terminal, user, wait_for};

/// The setup link of a server that is about to listen.
pub(super) struct SetupLink {
    token: Token,
    store: Arc<Store>,
    public_url: String,
}

impl SetupLink {
    /// Prepares the link, unless there is an operator. A link that an earlier start left in its file
    /// stays valid. A failure is logged and leaves the server without a link.
    pub(super) fn prepare(store: &Arc<Store>, settings: &Settings) -> Option<Self> {
        let accounts = user::accounts_of(Arc::clone(store), settings);
        let kept = fs::read_to_string(store.setup_file()).ok();
        let kept = kept.as_deref().and_then(|link| link.trim_end().rsplit_once('#'));
        let kept = kept.map(|(_, token)| Token::presented(token));
        let begin = accounts.begin_setup(kept);
        match wait_for(async { begin.await.map_err(|e| e.to_string()) }) {
            Ok(Some(token)) => {
                let public_url = settings.public_url.trim_end_matches('/').to_owned();
                Some(Self { token, store: Arc::clone(store), public_url })
            }
            Ok(None) => {
                store.delete_setup_file();
                None
            }
            Err(e) => {
                tracing::warn!("cannot make the link that makes the first operator: {e}");
                None
            }
        }
    }

    /// Prints the link and writes it to its file. `own` is the address on this machine, and `lan`
    /// that on the local network, for which it prints a QR code too.
    pub(super) fn announce(&self, own: &str, lan: Option<&str>) {
        let address = match self.public_url.as_str() {
            "" => lan.unwrap_or(own),
            public => public,
        };
        let link = format!("{address}/setup#{}", self.token.secret());
        println!(
            "\nThere is no operator yet. This link makes one, once. Keep it to yourself:\n{link}"
        );
        if let Some(code) = lan.and_then(|_| lan::terminal_code(&link)) {
            println!("{code}");
        }
        let file = self.store.setup_file();
        match self.store.write_setup_file(&link) {
            Ok(()) => terminal::print(format_args!("It is also in {}", file.display())),
            Err(e) => tracing::warn!("cannot write {}: {e}", file.display()),
        }
    }
}
