//! The search for a built-in place by its name.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use rocket::serde::json::Json;
use rocket::{get, tokio};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::embedded;
use super::places::{CITIES, PIECES, Place, read_cities, read_index, read_piece};

const MAX_RESULTS: usize = 8;
/// In bytes. A longer text finds nothing.
const MAX_QUERY: usize = 100;
/// The separators of the names of a place, and of two places.
const NEXT_NAME: char = '\u{1f}';
const NEXT_PLACE: char = '\n';

/// How much more important than its size a place is that has exactly this name, or is a capital, and how much less one
/// in whose name it is a later word.
const EXACT_BONUS: u8 = 5;
const CAPITAL_BONUS: u8 = 3;
const LATER_WORD_MALUS: u8 = 8;

/// A place that was found. `zoom` shows it as a whole.
#[derive(Serialize)]
pub(super) struct Found {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<String>,
    country: String,
    latitude: f64,
    longitude: f64,
    zoom: u8,
}

#[derive(Serialize)]
pub(super) struct Places {
    places: Vec<Found>,
}

/// The folded names of all places, in the order of the pieces. About 3 MB, made by the first search.
struct Index {
    names: String,
    /// The index in `names` at which those of each place begin.
    starts: Vec<u32>,
    /// The importance of each place.
    weights: Vec<u8>,
    /// The name of each piece, by the number of its first place.
    pieces: BTreeMap<usize, Piece>,
}

/// A file of places.
enum Piece {
    Cities,
    Quadkey(String),
}

impl Piece {
    fn read(&self) -> Option<Vec<Place>> {
        let plain = |path: &str| embedded::find(path)?.plain().ok();
        match self {
            Self::Cities => Some(read_cities(&plain(CITIES)?)),
            Self::Quadkey(key) => read_piece(key, &plain(&format!("{PIECES}/{key}.bin"))?),
        }
    }
}

impl Index {
    fn shared() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(|| {
            let index = embedded::find(&format!("{PIECES}/index.json"));
            let index = index.and_then(|file| file.plain().ok()).unwrap_or_default();
            let pieces = read_index(&index).into_iter().map(Piece::Quadkey);
            Self::new(std::iter::once(Piece::Cities).chain(pieces))
        })
    }

    fn new(pieces: impl Iterator<Item = Piece>) -> Self {
        let mut index = Self {
            names: NEXT_PLACE.to_string(),
            starts: Vec::new(),
            weights: Vec::new(),
            pieces: BTreeMap::new(),
        };
        for piece in pieces {
            let places = piece.read().unwrap_or_default();
            index.pieces.insert(index.starts.len(), piece);
            for place in places {
                index.add(&place);
            }
        }
        index
    }

    fn add(&mut self, place: &Place) {
        self.starts.push(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.weights.push(place.size + if place.is_capital { CAPITAL_BONUS } else { 0 });
        for (number, name) in place.names.iter().filter(|name| !name.is_empty()).enumerate() {
            if number > 0 {
                self.names.push(NEXT_NAME);
            }
            self.names.extend(folded(name));
        }
        self.names.push(NEXT_PLACE);
    }

    /// Returns the places with a name that begins with `text`, or has a word that does, the most important first.
    fn find(&self, text: &str) -> Vec<Place> {
        let folded: String = folded(text).collect();
        let wanted = folded.trim();
        if wanted.is_empty() || wanted.len() > MAX_QUERY {
            return Vec::new();
        }
        let mut weights: BTreeMap<usize, u8> = BTreeMap::new();
        for (at, _) in self.names.match_indices(wanted) {
            if let Some((place, weight)) = self.weigh(at, wanted.len()) {
                let known = weights.entry(place).or_default();
                *known = weight.max(*known);
            }
        }
        let mut found: Vec<(u8, usize)> =
            weights.into_iter().map(|(place, weight)| (weight, place)).collect();
        found.sort_unstable_by_key(|(weight, place)| (Reverse(*weight), *place));
        found.iter().take(MAX_RESULTS).filter_map(|(_, place)| self.place(*place)).collect()
    }

    /// Returns the number and the weight of the place that has a match in its names, if the match begins a word.
    fn weigh(&self, at: usize, length: usize) -> Option<(usize, u8)> {
        let before = self.names.get(..at)?.chars().next_back()?;
        let after = self.names.get(at + length..)?.chars().next()?;
        let ends_name = |c| c == NEXT_NAME || c == NEXT_PLACE;
        if before != ' ' && !ends_name(before) {
            return None;
        }
        let place = self.starts.partition_point(|start| *start as usize <= at).checked_sub(1)?;
        let weight = LATER_WORD_MALUS + self.weights.get(place)?;
        Some(match (ends_name(before), ends_name(after)) {
            (true, true) => (place, weight + EXACT_BONUS),
            (true, false) => (place, weight),
            (false, _) => (place, weight - LATER_WORD_MALUS),
        })
    }

    fn place(&self, number: usize) -> Option<Place> {
        let (first, piece) = self.pieces.range(..=number).next_back()?;
        piece.read()?.into_iter().nth(number - first)
    }
}

/// Returns a text as it is compared: in lower case, without accents, with a space for each hyphen.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    letters.filter_map(|c| match c {
        '-' | '‐' | '–' | NEXT_NAME | NEXT_PLACE => Some(' '),
        '\'' | '’' | '‘' | 'ʻ' | 'ʼ' | '`' | '.' => None,
        'ø' => Some('o'),
        'ł' => Some('l'),
        'đ' => Some('d'),
        'ı' => Some('i'),
        'ß' => Some('s'),
        c => Some(c),
    })
}

/// Returns the zoom that shows a place of a size as a whole.
const fn zoom(size: u8) -> u8 {
    match size {
        16.. => 10,
        11.. => 11,
        6.. => 12,
        _ => 13,
    }
}

impl Found {
    fn new(place: Place, is_chinese: bool) -> Self {
        let [english, chinese, local] = place.names;
        let name = if is_chinese && !chinese.is_empty() { chinese.clone() } else { english };
        // Chinese places have their local name among the Chinese ones.
        let local = if local.is_empty() && place.country == "CN" { chinese } else { local };
        let local = Some(local).filter(|local| !local.is_empty() && *local != name);
        Self {
            name,
            local,
            country: place.country,
            latitude: place.latitude,
            longitude: place.longitude,
            zoom: zoom(place.size),
        }
    }
}

/// Finds places by the beginning of their name, in English, Chinese or their own language.
#[get("/places?<q>&<language>")]
pub(super) async fn places(q: &str, language: Option<&str>) -> Json<Places> {
    let (text, is_chinese) = (q.to_owned(), language == Some("zh"));
    // The first search makes the index, which takes a while.
    let found = tokio::task::spawn_blocking(move || Index::shared().find(&text)).await;
    let places = found.unwrap_or_default().into_iter();
    Json(Places { places: places.map(|place| Found::new(place, is_chinese)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        let place = Index::shared().find(text).into_iter().next();
        place.map_or_else(String::new, |place| format!("{}, {}", place.names[0], place.country))
    }

    #[test]
    fn a_place_is_found_by_any_of_its_names() {
        for (text, name) in [
            ("pari", "Paris, FR"),
            ("PARIS", "Paris, FR"),
            ("sao pau", "São Paulo, BR"),
            ("São Paulo", "São Paulo, BR"),
            ("北京", "Beijing, CN"),
            ("東京", "Tokyo, JP"),
            ("东京", "Tokyo, JP"),
            ("munch", "Munich, DE"),
            ("saarbruck", "Saarbrücken, DE"),
            ("saint-den", "Saint-Denis, RE"),
            ("roseb", "Roseburg, US"),
            ("  york  ", "York, GB"),
            ("bath", "Bath, GB"),
            ("man", "Manila, PH"),
        ] {
            assert!(first(text).starts_with(name), "{text}: {}", first(text));
        }
    }

    #[test]
    fn nothing_is_found_for_nothing() {
        for text in ["", " ", "\n", "\u{1f}", "\u{301}", "qqqq", &"a".repeat(1000)] {
            assert!(Index::shared().find(text).is_empty(), "{text:?}");
        }
    }
}
