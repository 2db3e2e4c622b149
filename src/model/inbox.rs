//! The kinds of items in an inbox.

/// The kind of an event in an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another account opened the bottle.
    Opened,
    /// The other side of a thread wrote a reply.
    Replied,
    /// A teacher or the number of reports hid the bottle, or a reply of the account.
    Hidden,
    /// A teacher showed the bottle or the reply again.
    Shown,
    /// The bottle left the sea by itself.
    Expired,
}

impl Kind {
    /// All kinds, in the order of their bits.
    pub const ALL: [Self; 5] =
        [Self::Opened, Self::Replied, Self::Hidden, Self::Shown, Self::Expired];

    /// Returns the word that the database and the contract use.
    ///
    /// ```
    /// use bottle::model::inbox::Kind;
    ///
    /// assert_eq!(Kind::Opened.as_str(), "opened");
    /// assert_eq!(Kind::parse("opened"), Some(Kind::Opened));
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Replied => "replied",
            Self::Hidden => "hidden",
            Self::Shown => "shown",
            Self::Expired => "expired",
        }
    }

    /// Returns the kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the bit that stands for the kind in a set of kinds.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}
