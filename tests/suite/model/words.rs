//! The parts of a random request, some of which are invalid.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Some are one name, some are none, one is too long for Ledger, and one is an email address.
const NAMES: &[&str] = &[
    "ada",
    "ADA",
    "bob",
    "eve",
    "e\u{301}ve",
    "\u{e9}ve",
    "漂流者",
    "ada@example.org",
    "a name of more than twenty letters",
    "dan",
    "grace",
    "",
    " ada",
];
const PASSWORDS: &[&str] = &["pass", "word", "p4ssw0rd", "密码密码", "    ", "abc"];
const EMAILS: &[&str] =
    &["ada@example.org", "ADA@example.org", "bob@example.org", "eve@example.org", "nowhere"];
const NICKNAMES: &[&str] = &["Ada", "吕剪刀", "", "with\ttab"];
const GENDERS: &[&str] = &["male", "female", "other", "unknown", "none"];
const TERMINALS: &[&str] = &["desk", "till", ""];

pub(super) type Word = &'static str;

pub(super) fn name() -> impl Strategy<Value = Word> {
    select(NAMES)
}

pub(super) fn new_password() -> impl Strategy<Value = Word> {
    prop_oneof![4 => Just("pass"), 1 => select(PASSWORDS)]
}

pub(super) fn email() -> impl Strategy<Value = Word> {
    select(EMAILS)
}

pub(super) fn nickname() -> impl Strategy<Value = Option<Word>> {
    option::of(select(NICKNAMES))
}

pub(super) fn gender() -> impl Strategy<Value = Option<Word>> {
    option::of(select(GENDERS))
}

pub(super) fn terminal() -> impl Strategy<Value = Word> {
    select(TERMINALS)
}

/// A password that is to prove something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Password {
    /// The account's own.
    Right,
    /// This one, right or not.
    Given(Word),
}

impl Password {
    /// Returns the password to send for an account whose password is `right`, or for none.
    pub(super) fn text(self, right: Option<Word>) -> Word {
        match self {
            Self::Right => right.unwrap_or("nobody's"),
            Self::Given(text) => text,
        }
    }
}

pub(super) fn password() -> impl Strategy<Value = Password> {
    prop_oneof![4 => Just(Password::Right), 1 => select(PASSWORDS).prop_map(Password::Given)]
}

/// The credential of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Nobody,
    Nonsense,
    /// The last credential of another contract.
    OfAnother,
    /// The session of this contract that began so many sessions ago, live or not.
    Recent(usize),
    /// One of the live sessions of this contract, if there is one.
    Live(usize),
}

/// Most often a live session, so that a request rarely fails for want of one.
pub(super) fn somebody() -> impl Strategy<Value = Who> {
    prop_oneof![1 => who(), 20 => (0..1000_usize).prop_map(Who::Live)]
}

pub(super) fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        1 => Just(Who::Nobody),
        1 => Just(Who::Nonsense),
        1 => Just(Who::OfAnother),
        60 => (0_usize..8).prop_map(Who::Recent),
    ]
}

/// Why a field is refused.
#[derive(Clone, Copy)]
pub(super) enum Flaw {
    Empty,
    Short,
    SurroundingSpace,
    Control,
    NoGender,
    NoEmail,
    NoUrl,
    OutOfRange(&'static str),
}

impl Flaw {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::Empty),
            _ => (name.trim() != name).then_some(Self::SurroundingSpace),
        }
    }

    pub(super) fn of_password(password: &str) -> Option<Self> {
        (password.chars().count() < 4).then_some(Self::Short)
    }

    pub(super) fn of_nickname(nickname: Option<&str>) -> Option<Self> {
        nickname.is_some_and(|text| text.contains('\t')).then_some(Self::Control)
    }

    pub(super) fn chinese(self, field: &str) -> String {
        match self {
            Self::Empty => format!("字段{field}不能为空"),
            Self::Short => format!("字段{field}至少需要4个字符"),
            Self::SurroundingSpace => format!("字段{field}的首尾不能有空白"),
            Self::Control => format!("字段{field}不能包含控制字符"),
            Self::NoGender => format!("字段{field}只能是以下之一：male, female, other, unknown"),
            Self::NoEmail => format!("字段{field}不是有效的邮箱地址"),
            Self::NoUrl => format!("字段{field}只能是以下之一：https:, http:"),
            Self::OutOfRange(range) => format!("字段{field}必须是{range}之间的数"),
        }
    }

    pub(super) fn english(self, field: &str) -> String {
        match self {
            Self::Short => format!("{field} must have at least 4 characters"),
            Self::SurroundingSpace => format!("{field} must not begin or end with white space"),
            Self::Control => format!("{field} must not contain control characters"),
            _ => format!("{field}?"),
        }
    }
}
