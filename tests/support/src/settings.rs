//! Settings for tests.

use bottle::server::config::Settings;
use rocket::figment::Figment;
use rocket::figment::value::Value;

/// Password hashes cost little, and there are no rate limits.
const FAST: &str = "argon2_memory_kib=8,argon2_iterations=1,login_attempts_per_minute=0,\
                    registrations_per_minute=0,throws_per_minute=0";

/// Returns the default settings, but with cheap password hashes and without rate limits.
pub fn fast_settings() -> Settings {
    let Ok(fast) = fast_settings_with("").parse::<Value>();
    let settings = Settings::from(&Figment::from(("bottle", fast))).unwrap();
    Settings { password_workers: 4, ..settings }
}

/// Returns the same settings as a value of `ROCKET_BOTTLE`, followed by `others`, such as
/// `max_event_streams=1,reports_to_hide=0`.
///
/// ```
/// let settings = bottle_test_support::fast_settings_with("max_event_streams=1");
/// assert!(settings.starts_with("{argon2_memory_kib=8,"));
/// assert!(settings.ends_with(",max_event_streams=1}"));
/// ```
pub fn fast_settings_with(others: &str) -> String {
    let comma = if others.is_empty() { "" } else { "," };
    format!("{{{FAST}{comma}{others}}}")
}
