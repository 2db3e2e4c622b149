//! Detects invisible characters. Names that differ only in them look alike.
//!
//! The rule follows the PRECIS framework (RFC 8264, section 9), the base of the profiles for
//! usernames (RFC 8265) and nicknames (RFC 8266): no format characters (bidirectional controls
//! among them), no `Default_Ignorable_Code_Point`, no private use, no unassigned code points and
//! noncharacters. ZWJ and ZWNJ are allowed by the CONTEXTJ rules (RFC 5892, appendices A.1 and
//! A.2), because Persian, Hindi and Sinhala need them. Unlike in those profiles, spaces and symbols
//! are allowed, and nicknames may contain emoji sequences (Unicode Technical Standard 51).

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::char::canonical_combining_class;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const BLACK_FLAG: char = '\u{1f3f4}';

/// Returns true if a username has no invisible character. Its only white space is U+0020, because
/// the other spaces look like it.
pub(super) fn in_username(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    (0..chars.len()).all(|at| match get_general_category(chars[at]) {
        GeneralCategory::SpaceSeparator => chars[at] == ' ',
        _ => !is_invisible(chars[at]) || joins(&chars, at),
    })
}

/// Returns true if a nickname has no invisible character, apart from parts of emoji.
pub(super) fn in_nickname(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    (0..chars.len())
        .all(|at| !is_invisible(chars[at]) || joins(&chars, at) || is_of_emoji(&chars, at))
}

/// Returns true if a character is invisible, reorders others, or has no meaning.
fn is_invisible(c: char) -> bool {
    match get_general_category(c) {
        GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate => true,
        // Reserved for pictographs: new emoji are assigned in this range each year.
        GeneralCategory::Unassigned => !matches!(c, '\u{1f000}'..='\u{1faff}'),
        // The other Default_Ignorable_Code_Points of Unicode 16, and the blank Braille pattern.
        _ => matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'),
    }
}

/// Returns true if the character at `at` is a ZWJ or ZWNJ that a CONTEXTJ rule allows. Of the
/// cursive scripts in the rule for ZWNJ, only Arabic is supported.
fn joins(chars: &[char], at: usize) -> bool {
    const VIRAMA: u8 = 9;
    let is_mark = |c: &&char| get_general_category(**c) == GeneralCategory::NonspacingMark;
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    let after_virama = before.last().is_some_and(|c| canonical_combining_class(*c) == VIRAMA);
    let between_letters = || {
        before.iter().rev().find(|c| !is_mark(c)).is_some_and(|c| joins_the_next(*c))
            && after.iter().find(|c| !is_mark(c)).is_some_and(|c| joins_the_last(*c))
    };
    match chars[at] {
        ZWJ => after_virama,
        ZWNJ => after_virama || between_letters(),
        _ => false,
    }
}

/// Returns true if an Arabic letter joins the next one (`Joining_Type` D).
fn joins_the_next(c: char) -> bool {
    matches!(c,
        '\u{620}' | '\u{626}' | '\u{628}' | '\u{62a}'..='\u{62e}' | '\u{633}'..='\u{63f}'
        | '\u{641}'..='\u{647}' | '\u{649}' | '\u{64a}' | '\u{66e}' | '\u{66f}'
        | '\u{678}'..='\u{687}' | '\u{69a}'..='\u{6bf}' | '\u{6c1}' | '\u{6c2}' | '\u{6cc}'
        | '\u{6ce}' | '\u{6d0}' | '\u{6d1}' | '\u{6fa}'..='\u{6fc}' | '\u{6ff}'
        | '\u{750}'..='\u{758}' | '\u{75c}'..='\u{76a}' | '\u{76d}'..='\u{770}' | '\u{772}'
        | '\u{775}'..='\u{777}' | '\u{77a}'..='\u{77f}' | '\u{8a0}'..='\u{8a9}' | '\u{8af}'
        | '\u{8b0}' | '\u{8b3}'..='\u{8b8}' | '\u{8ba}'..='\u{8c8}')
}

/// Returns true if an Arabic letter joins the previous one (`Joining_Type` D or R).
fn joins_the_last(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8c8}')
        && get_general_category(c) == GeneralCategory::OtherLetter
        && !matches!(c, '\u{621}' | '\u{674}' | '\u{8ad}')
}

/// Returns true if the character at `at` is an invisible part of an emoji: a variation selector,
/// the ZWJ between two pictographs, or the tags of a flag.
fn is_of_emoji(chars: &[char], at: usize) -> bool {
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    let is_part = |c: &&char| matches!(**c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    match chars[at] {
        '\u{fe0e}' | '\u{fe0f}' => match before.last() {
            Some('0'..='9' | '#' | '*') => after.first() == Some(&'\u{20e3}'),
            last => last.is_some_and(|c| is_pictograph(*c)),
        },
        ZWJ => {
            before.iter().rev().find(|c| !is_part(c)).is_some_and(|c| is_pictograph(*c))
                && after.first().is_some_and(|c| is_pictograph(*c))
        }
        '\u{e0020}'..='\u{e007f}' => is_of_flag(chars, at),
        _ => false,
    }
}

/// Returns true if a character may be a pictograph, alone or in a sequence.
fn is_pictograph(c: char) -> bool {
    matches!(c, '‼' | '⁉' | 'ℹ' | '↔' | '◻'..='◾' | '⤴' | '⤵' | '〰' | '〽' | '\u{1f000}'..='\u{1faff}')
        || get_general_category(c) == GeneralCategory::OtherSymbol
}

/// Returns true if the tag character at `at` belongs to the flag of England, Scotland or Wales, the
/// only flags with tags.
fn is_of_flag(chars: &[char], at: usize) -> bool {
    let Some(start) = chars[..at].iter().rposition(|c| *c == BLACK_FLAG) else { return false };
    let tag = |letter: char| char::from_u32(0xe0000 + u32::from(letter));
    ["gbeng", "gbsct", "gbwls"].iter().any(|region| {
        let tags = region.chars().chain(['\u{7f}']).map(tag);
        let flag = chars[start + 1..].iter().take(tags.clone().count()).map(|c| Some(*c));
        at <= start + flag.len() && flag.eq(tags)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{in_nickname, in_username};

    #[rstest]
    #[case::plain("Ada Lovelace")]
    #[case::marks("e\u{301}\u{323}")]
    #[case::devanagari("क्\u{200d}ष")]
    #[case::sinhala("ශ්\u{200d}රී")]
    #[case::persian("می\u{200c}خواهم")]
    #[case::persian_with_marks("مِی\u{651}\u{200c}\u{64e}خ")]
    #[case::middle_dot("爱因斯坦·阿尔伯特")]
    #[case::punctuation("O'Neil, B.")]
    #[case::two_scripts("雪 Yuki")]
    #[case::arabic("أمينة")]
    #[case::hindi("नूर")]
    #[case::vietnamese("Nguyễn Thị")]
    #[case::symbols("naïve (x²)")]
    #[case::emoji("👩🏽🇩🇪✨")]
    #[case::an_emoji_of_a_later_unicode("\u{1faea}")]
    #[case::korean("홍길동 \u{1112}\u{1161}\u{11ab}")]
    fn visible_characters_are_allowed_in_both(#[case] name: &str) {
        assert!(in_username(name) && in_nickname(name));
    }

    #[rstest]
    #[case::professions("👩\u{200d}💻👩🏽\u{200d}🚀")]
    #[case::family("👨\u{200d}👩\u{200d}👧")]
    #[case::heart("❤\u{fe0f}\u{200d}🔥")]
    #[case::text("❤\u{fe0e}")]
    #[case::rainbow("🏳\u{fe0f}\u{200d}🌈")]
    #[case::sun("☀\u{fe0f}")]
    #[case::keycap("1\u{fe0f}\u{20e3}")]
    #[case::nod("🙂\u{200d}↔\u{fe0f}")]
    #[case::scotland("🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}!")]
    #[case::wide_space("张\u{3000}三")]
    fn emoji_sequences_are_allowed_in_nicknames_only(#[case] name: &str) {
        assert!(!in_username(name) && in_nickname(name));
    }

    #[rstest]
    #[case::override_("\u{202e}ada")]
    #[case::isolate("a\u{2066}da\u{2069}")]
    #[case::mark("ada\u{200f}")]
    #[case::zero_width_space("ad\u{200b}a")]
    #[case::joiner_between_letters("ad\u{200d}a")]
    #[case::joiner_at_the_end("क्ष\u{200d}")]
    #[case::joiner_after_latin("ada\u{200d}")]
    #[case::non_joiner_between_letters("ad\u{200c}a")]
    #[case::non_joiner_where_nothing_joins("را\u{200c}ه")]
    #[case::non_joiner_at_the_end("می\u{200c}")]
    #[case::two_non_joiners("می\u{200c}\u{200c}خ")]
    #[case::joiner_after_an_emoji("👩\u{200d}")]
    #[case::joiner_before_an_emoji("a\u{200d}👩")]
    #[case::two_joiners("👩\u{200d}\u{200d}💻")]
    #[case::soft_hyphen("a\u{ad}da")]
    #[case::word_joiner("a\u{2060}da")]
    #[case::byte_order_mark("ada\u{feff}")]
    #[case::grapheme_joiner("a\u{34f}da")]
    #[case::hangul_filler("\u{3164}")]
    #[case::halfwidth_filler("\u{ffa0}")]
    #[case::jamo_filler("\u{115f}\u{1160}")]
    #[case::khmer("\u{17b5}a")]
    #[case::mongolian("\u{180e}a")]
    #[case::braille_blank("\u{2800}")]
    #[case::selector_after_a_letter("ada\u{fe0f}")]
    #[case::selector_after_a_digit("1\u{fe0f}")]
    #[case::two_selectors("❤\u{fe0f}\u{fe0f}")]
    #[case::ideographic_selector("葛\u{e0100}")]
    #[case::tags("ada\u{e0061}")]
    #[case::language_tag("ada\u{e0001}")]
    #[case::tags_of_no_flag("🏴\u{e0061}\u{e007f}")]
    #[case::tags_without_an_end("🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}")]
    #[case::tags_after_a_flag("🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}\u{e0061}")]
    #[case::line("a\u{2028}b")]
    #[case::paragraph("a\u{2029}b")]
    #[case::private("\u{e000}")]
    #[case::private_beyond("\u{10fffd}")]
    #[case::unassigned("\u{378}")]
    #[case::noncharacter("\u{fdd0}")]
    #[case::noncharacter_of_the_first_plane("ada\u{ffff}")]
    #[case::noncharacter_at_the_end("\u{1ffff}")]
    #[case::annotation("\u{fff9}a")]
    #[case::number_sign("\u{600}1")]
    fn invisible_characters_are_allowed_in_neither(#[case] name: &str) {
        assert!(!in_username(name) && !in_nickname(name));
    }
}
