//! The preference of a client for gzip.

/// Returns whether the `Accept-Encoding` headers prefer gzip to no compression, by RFC 9110, section
/// 12.5.3. Without a header, the answer is no.
pub(super) fn accepts_gzip<'h>(headers: impl Iterator<Item = &'h str>) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    for encoding in headers.flat_map(|header| header.split(',')) {
        let mut parts = encoding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = match name.as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        *weight = Some(parts.find_map(quality).unwrap_or(1.0));
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}

/// Returns the weight in a `q=` parameter, and 0 for an invalid one.
fn quality(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let number = value.trim().parse().ok().filter(|number| (0.0..=1.0).contains(number));
    name.trim().eq_ignore_ascii_case("q").then_some(number.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::accepts_gzip;

    #[test]
    fn gzip_is_sent_to_clients_that_accept_it() {
        for header in [
            "gzip",
            "GZIP",
            "x-gzip",
            "br, gzip;q=0.8",
            "gzip;q=0.001",
            "gzip ; Q=1.000",
            "gzip;level=9;q=0.5",
            "*",
            "br;q=0, *;q=0.5",
            "identity, gzip",
            "identity;q=0.5, *",
            "identity;q=0, gzip;q=0.1",
        ] {
            assert!(accepts_gzip([header].into_iter()), "{header}");
        }
        assert!(accepts_gzip(["br", "gzip"].into_iter()));
    }

    #[test]
    fn gzip_is_not_sent_to_other_clients() {
        for header in [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "gzip;q=0.0",
            "gzip;q=0.000",
            "gzip ; q = 0.00",
            "gzip;level=9;q=0",
            "gzip;q=0, *",
            "*;q=0",
            "gzip;q=0.2, identity;q=0.9",
            "gzip;q=NaN",
            "gzip;q=-1",
            "gzip;q=yes",
            "gzipped",
        ] {
            assert!(!accepts_gzip([header].into_iter()), "{header}");
        }
        assert!(!accepts_gzip([].into_iter()));
    }
}
