//! Parses text into the types of fields: a value that was accepted must obey the rule of its type.

#![no_main]

use bottle::model::fields::{AvatarUrl, Content, Email, NewPassword, Nickname, Terminal, Username};
use bottle::model::geo::{Position, Rectangle};
use bottle::model::token::Token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, [f64; 4])| {
    let (text, [latitude, longitude, latitude_span, longitude_span]) = input;
    if let Ok(name) = Username::parse("username", text) {
        // An accepted name is already normalized.
        assert_eq!(Username::normalized(name.as_str()).as_str(), name.as_str());
        assert!(Username::parse("username", name.as_str()).is_ok());
    }
    let _ = Email::parse(text);
    let _ = Nickname::parse(text);
    let _ = AvatarUrl::parse(text);
    let _ = Terminal::parse(text);
    let _ = NewPassword::parse("password", text, 4);
    if let Ok(content) = Content::parse(text) {
        assert_eq!(content.as_str(), text);
    }
    assert_eq!(Token::presented(text).hash(), Token::presented(text).hash());

    let Ok(center) = Position::new(latitude, longitude) else { return };
    if let Ok(rectangle) = Rectangle::new(center, latitude_span, longitude_span) {
        for area in rectangle.areas() {
            assert!(area.south <= area.north && area.west <= area.east, "{area:?}");
        }
    }
});
