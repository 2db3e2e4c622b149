//! Positions of the bottles in a generated sea: most around a few cities, the rest anywhere.

/// Cities that share [`IN_CITIES`] of the bottles.
const CITIES: usize = 200;
const IN_CITIES: f64 = 0.7;
/// Standard deviation of the distance between a bottle and the centre of its city, in degrees.
const CITY_SIZE: f64 = 0.2;

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
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.unit() * (most - least)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }

    /// A normal deviate, as the sum of twelve uniform ones (never farther than 6 from 0).
    fn normal(&mut self) -> f64 {
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

    /// The position along a Hilbert curve over the globe: neighbours on it are neighbours on the map.
    fn along_curve(&self) -> u64 {
        const SIDE: u64 = 1 << 20;
        let mut x = ((self.longitude + 180.0) / 360.0 * (SIDE - 1) as f64) as u64;
        let mut y = ((self.latitude + 90.0) / 180.0 * (SIDE - 1) as f64) as u64;
        let mut along = 0;
        let mut half = SIDE / 2;
        while half > 0 {
            let (right, upper) = (u64::from(x & half > 0), u64::from(y & half > 0));
            along += half * half * ((3 * right) ^ upper);
            if upper == 0 {
                if right == 1 {
                    (x, y) = (SIDE - 1 - x, SIDE - 1 - y);
                }
                (x, y) = (y, x);
            }
            half /= 2;
        }
        along
    }
}

/// This number of places, in an order that keeps neighbours together. None is close enough to a pole or
/// the antimeridian for a rectangle around it to need special care.
pub fn places(random: &mut Random, count: usize) -> Vec<Place> {
    let cities: Vec<Place> = (0..CITIES)
        .map(|_| Place::new(random.between(-55.0, 65.0), random.between(-175.0, 175.0)))
        .collect();
    let mut places: Vec<Place> = (0..count)
        .map(|_| {
            if random.unit() < IN_CITIES {
                let city = cities[random.below(CITIES)];
                Place::new(
                    city.latitude + CITY_SIZE * random.normal(),
                    city.longitude + CITY_SIZE * random.normal(),
                )
            } else {
                Place::new(random.between(-70.0, 75.0), random.between(-179.0, 179.0))
            }
        })
        .collect();
    places.sort_by_cached_key(Place::along_curve);
    places
}
