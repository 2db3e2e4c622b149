//! A seeded random generator.

/// Generates the same numbers in each run: a linear congruential generator with the constants of
/// Knuth's MMIX, of which the upper 53 bits are used.
///
/// ```
/// use bottle_test_support::Random;
///
/// let (mut one, mut other) = (Random::new(7), Random::new(7));
/// assert_eq!(one.within(90.0), other.within(90.0));
/// assert!((-90.0..90.0).contains(&one.within(90.0)));
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Creates a generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number from `-limit` to `limit`, without `limit` itself.
    pub fn within(&mut self, limit: f64) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0) * limit
    }

    /// Returns a number from `min` to `max`, without `max` itself.
    pub fn between(&mut self, min: f64, max: f64) -> f64 {
        min + (self.within(0.5) + 0.5) * (max - min)
    }
}
