//! Positions and messages of the bottles in a generated sea: most around a few cities, the rest
//! anywhere.

/// Cities that share [`IN_CITIES`] of the bottles.
const CITIES: usize = 200;
const IN_CITIES: f64 = 0.7;
/// Standard deviation of the distance between a bottle and the centre of its city, in degrees.
const CITY_SIZE: f64 = 0.2;
const CITY_SEED: u64 = 3;

/// A small generator of its own, so that a seed gives the same sea in ten years as well.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.unit() * (most - least)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }

    /// A normal deviate, as the sum of twelve uniform ones (never farther than 6 from 0).
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A place, to the millionth of a degree, as a phone reports it.
#[derive(Clone, Copy)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
}

impl Place {
    fn new(latitude: f64, longitude: f64) -> Self {
        let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6;
        Self { latitude: rounded(latitude), longitude: rounded(longitude) }
    }
}

/// The cities, always the same ones. None is close enough to a pole or the antimeridian for
/// a rectangle around it to need special care.
pub fn cities() -> Vec<Place> {
    let mut random = Random::new(CITY_SEED);
    (0..CITIES)
        .map(|_| Place::new(random.between(-55.0, 65.0), random.between(-175.0, 175.0)))
        .collect()
}

/// A place in or around `city`.
pub fn near(city: Place, random: &mut Random) -> Place {
    Place::new(
        city.latitude + CITY_SIZE * random.normal(),
        city.longitude + CITY_SIZE * random.normal(),
    )
}

/// This number of places, in the order in which their bottles arrive.
pub fn places(random: &mut Random, count: usize) -> Vec<Place> {
    let cities = cities();
    (0..count)
        .map(|_| {
            if random.unit() < IN_CITIES {
                near(cities[random.below(CITIES)], random)
            } else {
                Place::new(random.between(-70.0, 75.0), random.between(-179.0, 179.0))
            }
        })
        .collect()
}

/// The length of a message.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Messages {
    /// Nine English words.
    Short,
    /// Half English, half Chinese; the median is 245 characters, the longest has 4,000.
    Long,
}

const WORDS: [&str; 16] = [
    "tide", "lantern", "harbour", "gull", "letter", "island", "rain", "morning", "compass", "salt",
    "drift", "anchor", "pearl", "storm", "quiet", "shore",
];
const CHARACTERS: &str = "海上漂流瓶写给远方陌生人的一封信今天下雨港口很安静我在等船你好吗祝你平安";

/// A message of a random length: log-normal, with σ = 1.
pub fn message(random: &mut Random, messages: Messages) -> String {
    if messages == Messages::Short {
        return words(random, 9);
    }
    let length = (245.0 * random.normal().exp()).clamp(1.0, 4000.0) as usize;
    if random.below(2) == 0 {
        let characters: Vec<char> = CHARACTERS.chars().collect();
        return (0..length).map(|_| characters[random.below(characters.len())]).collect();
    }
    let mut text = words(random, length / 5 + 1);
    text.truncate(length);
    text
}

/// This number of words.
pub fn words(random: &mut Random, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| WORDS[random.below(WORDS.len())]).collect();
    words.join(" ")
}
