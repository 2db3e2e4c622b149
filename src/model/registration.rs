//! The mode of registration.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The mode of registration: the people who may make an account.
///
/// ```
/// use bottle::model::registration::RegistrationMode;
///
/// assert_eq!(RegistrationMode::parse("invite"), Some(RegistrationMode::Invite));
/// assert_eq!(RegistrationMode::Closed.as_str(), "closed");
/// assert_eq!(RegistrationMode::default(), RegistrationMode::Open);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Everyone who reaches the server.
    #[default]
    Open,
    /// Everyone with an invitation.
    Invite,
    /// Nobody.
    Closed,
}

impl RegistrationMode {
    /// Parses the word for a mode.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Invite, Self::Closed].into_iter().find(|mode| mode.as_str() == text)
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}
