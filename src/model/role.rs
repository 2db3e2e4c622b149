//! The roles of accounts.

/// The permissions of an account. Each role may do all that the ones before it may.
///
/// ```
/// use bottle::model::role::Role;
///
/// assert!(Role::Operator > Role::Teacher);
/// assert_eq!(Role::parse("teacher"), Some(Role::Teacher));
/// assert_eq!(Role::Operator.as_str(), "operator");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Throws and opens bottles.
    User,
    /// Also moderates.
    Teacher,
    /// Also decides who gets in.
    Operator,
}

impl Role {
    /// Parses the word for a role.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Teacher, Self::Operator].into_iter().find(|role| role.as_str() == text)
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Teacher => "teacher",
            Self::Operator => "operator",
        }
    }
}
