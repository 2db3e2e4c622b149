//! The inbox as an Atom feed (RFC 4287) with a point of GeoRSS-Simple for each entry
//! (<https://docs.ogc.org/cs/17-002r1/17-002r1.html>). Its titles are in English, because an account
//! has no language.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::domain::accounts::Account;
use crate::domain::inbox::{FeedItem, Kind};

/// Returns the feed of the inbox of `account`. Its links begin with `address`.
pub(super) fn feed(account: &Account, items: &[FeedItem], address: &str) -> String {
    let id = format!("bottle inbox {} {}", account.id, account.created_at);
    let updated = items.first().map_or(account.created_at, |item| item.created_at);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:georss=\"http://www.georss.org/georss\" xml:lang=\"en\">\n\
         <id>{}</id>\n<title>Bottle: inbox of {}</title>\n<updated>{updated}</updated>\n\
         <author><name>Bottle</name></author>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}/\"/>\n",
        urn(&id),
        escaped(name_of(account)),
        escaped(address),
    );
    for item in items {
        entry(&mut out, item, &urn(&format!("{id} {}", item.id)), address);
    }
    out + "</feed>\n"
}

fn entry(out: &mut String, item: &FeedItem, id: &str, address: &str) {
    let actor = item.actor.as_ref().map_or("Somebody", name_of);
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<entry>\n<id>{id}</id>\n<title>{title}</title>\n<updated>{updated}</updated>\n\
         <author><name>{author}</name></author>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{address}/#bottle/{bottle}\"/>\n\
         {content}<georss:point>{latitude} {longitude}</georss:point>\n</entry>",
        title = escaped(&title(item, actor)),
        updated = item.created_at,
        author = escaped(actor),
        address = escaped(address),
        bottle = item.bottle,
        content = item.reply.as_deref().map(content).unwrap_or_default(),
        latitude = item.position.latitude(),
        longitude = item.position.longitude(),
    );
}

/// Returns the text of a reply as an element. Its language is unknown.
fn content(text: &str) -> String {
    format!("<content type=\"text\" xml:lang=\"\">{}</content>\n", escaped(text))
}

/// Returns what happened: "Bob opened your bottle".
fn title(item: &FeedItem, actor: &str) -> String {
    match (item.kind, item.count) {
        (Kind::Replied, _) => format!("{actor} replied"),
        (_, 2) => format!("{actor} and one other opened your bottle"),
        (_, count @ 3..) => format!("{actor} and {} others opened your bottle", count - 1),
        _ => format!("{actor} opened your bottle"),
    }
}

fn name_of(account: &Account) -> &str {
    if account.nickname.is_empty() { &account.username } else { &account.nickname }
}

/// Returns a UUID of version 8 (RFC 9562) that always stands for `text`, as a URN.
fn urn(text: &str) -> String {
    let digest = Sha256::digest(text);
    let mut bytes: [u8; 16] = std::array::from_fn(|at| digest[at]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Escapes a text for XML. A character that XML 1.0 does not have, such as most control characters,
/// becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would turn it into a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;");
        assert_eq!(
            escaped("a\u{0}\u{8}\u{1f}\u{ffff}b\t\r\n雪"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b\t&#13;\n雪"
        );
    }

    #[test]
    fn a_urn_is_a_uuid_of_its_text() {
        let urn = urn("a");
        assert_eq!(urn.len(), "urn:uuid:".len() + 36);
        assert_eq!((urn.as_bytes()[9 + 14], urn == super::urn("b")), (b'8', false));
    }
}
