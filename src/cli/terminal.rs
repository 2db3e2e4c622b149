//! Prints messages for people, with control characters escaped.
//!
//! A message may contain text of a file or a command line, and a terminal obeys escape sequences in
//! it.

use std::fmt::Display;

/// Prints a line on standard output.
pub(super) fn print(line: impl Display) {
    println!("{}", escaped(&line.to_string()));
}

/// Prints a line on standard error.
pub(super) fn print_error(line: impl Display) {
    eprintln!("{}", escaped(&line.to_string()));
}

/// Returns `text` with control and bidirectional characters, except line ends, as `\u{1b}`.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push(c),
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => escaped.extend(c.escape_unicode()),
            c if c.is_control() => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::escaped;

    #[rstest]
    #[case("Ada, 小明 \\ 👩\u{200d}💻\nnext", "Ada, 小明 \\ 👩\u{200d}💻\nnext")]
    #[case("\u{1b}[2J\u{7}\r\t\u{7f}", "\\u{1b}[2J\\u{7}\\u{d}\\u{9}\\u{7f}")]
    #[case("\u{9b}31m", "\\u{9b}31m")]
    #[case("\u{202e}ada\u{2069}", "\\u{202e}ada\\u{2069}")]
    fn control_and_bidirectional_characters_are_escaped(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(escaped(text), shown);
    }
}
