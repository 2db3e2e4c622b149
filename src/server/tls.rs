//! The self-signed certificate. Browsers reveal a phone's position only to pages over HTTPS.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::store::{Store, meta};

/// The validity of a certificate in days. Browsers reject more than 825 days.
const VALID_DAYS: u64 = 397;
/// The number of days before the end at which a start replaces the certificate.
const MIN_DAYS_LEFT: u64 = 30;

const META_KEY: &str = "tls_certificate";

/// A certificate and its key, as the database stores them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The host names and addresses that it covers.
    names: Vec<String>,
    /// The end of its validity, in milliseconds since 1970.
    ends_at: i64,
    /// The certificate, as PEM.
    pub certificate: String,
    /// Its private key, as PEM.
    pub key: String,
    /// The SHA-256 fingerprint, in the notation of browsers.
    pub fingerprint: String,
}

impl Certificate {
    /// Returns the stored certificate for `names`. Generates and stores a new one if there is none,
    /// it covers other names or it ends soon.
    ///
    /// # Errors
    /// Returns the store's error, or [`Error::Internal`] if no certificate can be generated.
    pub async fn load_or_create(
        store: &Arc<Store>,
        names: Vec<String>,
        clock: &Clock,
    ) -> Result<Self> {
        let now = DateTime::<Utc>::from_timestamp_millis(clock.now().millis()).unwrap_or_default();
        let stored = store.read(|db| Ok(meta::get(db, META_KEY)?))?;
        let stored = stored.and_then(|text| serde_json::from_str::<Self>(&text).ok());
        let until = (now + Days::new(MIN_DAYS_LEFT)).timestamp_millis();
        if let Some(stored) =
            stored.filter(|stored| stored.names == names && stored.ends_at > until)
        {
            return Ok(stored);
        }
        let generated = Self::generate(names, now).map_err(|e| Error::Internal(e.to_string()))?;
        let text = serde_json::to_string(&generated).map_err(|e| Error::Internal(e.to_string()))?;
        store.write(move |db| Ok(meta::set(db, META_KEY, &text)?)).await?;
        Ok(generated)
    }

    fn generate(names: Vec<String>, now: DateTime<Utc>) -> std::result::Result<Self, rcgen::Error> {
        let ends = now + Days::new(VALID_DAYS);
        let day = |of: DateTime<Utc>| date_time_ymd(of.year(), of.month() as u8, of.day() as u8);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.push(DnType::CommonName, "Bottle");
        // A phone's clock may be slow.
        params.not_before = day(now - Days::new(2));
        params.not_after = day(ends);
        let certificate = params.self_signed(&key)?;
        let fingerprint = Sha256::digest(certificate.der());
        let fingerprint: Vec<String> =
            fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self {
            names,
            ends_at: ends.timestamp_millis(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            fingerprint: fingerprint.join(":"),
        })
    }
}
