//! Bottles as waypoints of [GPX 1.1](https://www.topografix.com/GPX/1/1/), one per line.

use std::fmt::{self, Display, Formatter, Write as _};
use std::io::Write;

use super::TransferError;
use crate::store::Connection;
use crate::store::transfer::{self, ExportScope, Record, Thrown};

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Bottle ",
    env!("CARGO_PKG_VERSION"),
    "\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n"
);
const TAIL: &str = "</gpx>\n";

/// The maximum length of a waypoint's name, in characters: devices show little more.
const MAX_NAME: usize = 40;

/// Writes the bottles as a document. Calls `count_row` for each row, also for those without a
/// waypoint.
pub(super) fn write(
    db: &Connection,
    scope: ExportScope,
    out: &mut impl Write,
    count_row: &mut impl FnMut(),
) -> Result<(), TransferError> {
    out.write_all(HEAD.as_bytes())?;
    transfer::for_each(db, scope, |record| {
        count_row();
        match record {
            Record::Bottle(bottle) => Ok(writeln!(out, "{}", Waypoint(&bottle))?),
            _ => Ok::<_, TransferError>(()),
        }
    })?;
    Ok(out.write_all(TAIL.as_bytes())?)
}

/// A bottle as a waypoint. Its children have the order that the schema prescribes.
struct Waypoint<'a>(&'a Thrown);

impl Display for Waypoint<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Thrown { location, content, owner, created_at, .. } = self.0;
        // The schema excludes 180.
        let longitude = if location.longitude == 180.0 { -180.0 } else { location.longitude };
        // Rust writes a number without an exponent, as the schema needs it.
        write!(
            f,
            "<wpt lat=\"{}\" lon=\"{longitude}\"><time>{created_at}</time>",
            location.latitude
        )?;
        write!(f, "<name>{}</name>", Escaped(&name(content)))?;
        if !location.formatted_address.is_empty() {
            write!(f, "<cmt>{}</cmt>", Escaped(&location.formatted_address))?;
        }
        write!(f, "<desc>{}</desc><src>{}</src></wpt>", Escaped(content), Escaped(owner))
    }
}

/// Returns the beginning of a message's first line that is not empty.
fn name(content: &str) -> String {
    let line = content.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// Text of an element. A character that XML 1.0 does not allow in any form becomes U+FFFD.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            // As a part of `]]>`, it would be an error.
            '>' => f.write_str("&gt;"),
            // A reader would turn it into a line feed.
            '\r' => f.write_str("&#13;"),
            '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'.. => f.write_char(c),
            _ => f.write_char('\u{fffd}'),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a < b && c > d]]>", "a &lt; b &amp;&amp; c &gt; d]]&gt;")]
    #[case("\u{0}\u{b}\u{1f}\t\n\r", "\u{fffd}\u{fffd}\u{fffd}\t\n&#13;")]
    #[case("\u{7f}\u{fffe}\u{ffff}\u{1f40b}", "\u{7f}\u{fffd}\u{fffd}\u{1f40b}")]
    fn text_is_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Escaped(text).to_string(), expected);
    }

    #[rstest]
    #[case("hello", "hello")]
    #[case("\n  \n first \nsecond", "first")]
    #[case(&"海".repeat(41), &format!("{}…", "海".repeat(40)))]
    #[case(&"海".repeat(40), &"海".repeat(40))]
    #[case(" ", "")]
    fn a_name_is_short(#[case] content: &str, #[case] expected: &str) {
        assert_eq!(name(content), expected);
    }
}
