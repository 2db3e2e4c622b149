//! The kinds of inbox items that an account silences.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::inbox::Kind;

/// The kinds of items that an account requests or not, by their names.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[allow(missing_docs)]
pub(super) struct InboxKinds {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    opened: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    replied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hidden: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shown: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expired: Option<bool>,
}

impl InboxKinds {
    /// Returns the silenced kinds, as false; `None` if there are none.
    pub(super) fn silenced(silenced: u8) -> Option<Self> {
        let state = |kind: Kind| (silenced & kind.bit() != 0).then_some(false);
        (silenced != 0).then(|| Self {
            opened: state(Kind::Opened),
            replied: state(Kind::Replied),
            hidden: state(Kind::Hidden),
            shown: state(Kind::Shown),
            expired: state(Kind::Expired),
        })
    }

    /// Returns the silenced kinds after this change of `silenced`.
    pub(super) fn change(self, silenced: u8) -> u8 {
        let Self { opened, replied, hidden, shown, expired } = self;
        let requested = [opened, replied, hidden, shown, expired];
        Kind::ALL.into_iter().zip(requested).fold(silenced, |silenced, (kind, requested)| {
            match requested {
                Some(true) => silenced & !kind.bit(),
                Some(false) => silenced | kind.bit(),
                None => silenced,
            }
        })
    }
}
