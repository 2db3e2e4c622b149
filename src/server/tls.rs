//! A certificate of this machine's own, so that phones on the network may give their position: browsers
//! let only pages over https ask for it.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::store::{Store, meta};

/// Browsers take none that holds for longer than 825 days.
const DAYS: u64 = 397;
/// With fewer days left, it is made anew at a start.
const MIN_DAYS_LEFT: u64 = 30;

const KEPT_AS: &str = "tls_certificate";

/// A certificate and its key, as the file keeps them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The names and addresses it is for.
    names: Vec<String>,
    /// In milliseconds since 1970.
    ends_at: i64,
    /// The certificate, as PEM.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: String,
    /// The SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
}

impl Certificate {
    /// The certificate for these names that the file keeps, made now if it has none that will do.
    pub async fn kept(store: &Arc<Store>, names: Vec<String>, clock: &Clock) -> Result<Self> {
        let now = DateTime::<Utc>::from_timestamp_millis(clock.now().millis()).unwrap_or_default();
        let kept = store.read(|db| Ok(meta::get(db, KEPT_AS)?))?;
        let kept = kept.and_then(|text| serde_json::from_str::<Self>(&text).ok());
        let until = (now + Days::new(MIN_DAYS_LEFT)).timestamp_millis();
        if let Some(kept) = kept.filter(|kept| kept.names == names && kept.ends_at > until) {
            return Ok(kept);
        }
        let made = Self::make(names, now).map_err(|e| Error::Internal(e.to_string()))?;
        let text = serde_json::to_string(&made).map_err(|e| Error::Internal(e.to_string()))?;
        store.write(move |db| Ok(meta::set(db, KEPT_AS, &text)?)).await?;
        Ok(made)
    }

    fn make(names: Vec<String>, now: DateTime<Utc>) -> std::result::Result<Self, rcgen::Error> {
        let ends = now + Days::new(DAYS);
        let day = |of: DateTime<Utc>| date_time_ymd(of.year(), of.month() as u8, of.day() as u8);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.push(DnType::CommonName, "Bottle");
        // A phone's clock may be behind.
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
