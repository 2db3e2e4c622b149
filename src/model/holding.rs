//! The kinds of things that a Ledger account may have.

/// A kind of thing that a Ledger account may have. While it has any, Ledger does not delete it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Holding {
    Card,
    Member,
    Division,
}
