//! The kinds of objects that a Ledger account may have.

/// A kind of object of a Ledger account. Ledger does not delete an account that has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Holding {
    Card,
    Member,
    Division,
}
