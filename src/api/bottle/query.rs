//! Numbers in a query string.

use rocket::FromForm;
use utoipa::IntoParams;

use crate::domain::bottles::{MAX_LIST, PageRequest};
use crate::model::error::{Error, Problem, Result};
use crate::model::geo::{Position, Rectangle};

/// A rectangle as it is asked for. Its parameters are taken as text, for errors of their own.
#[derive(FromForm, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RectangleQuery<'r> {
    /// of the centre, in degrees
    #[param(value_type = f64, required = true, minimum = -90, maximum = 90)]
    latitude: Option<&'r str>,
    /// of the centre, in degrees
    #[param(value_type = f64, required = true, minimum = -180, maximum = 180)]
    longitude: Option<&'r str>,
    /// from the southern edge to the northern, in degrees
    #[param(value_type = f64, required = true, minimum = 0)]
    latitude_span: Option<&'r str>,
    /// from the western edge to the eastern, in degrees
    #[param(value_type = f64, required = true, minimum = 0)]
    longitude_span: Option<&'r str>,
}

impl RectangleQuery<'_> {
    pub(super) fn rectangle(&self) -> Result<Rectangle> {
        let latitude = number("latitude", self.latitude)?;
        let center = Position::new(latitude, number("longitude", self.longitude)?)?;
        Rectangle::new(
            center,
            number("latitude_span", self.latitude_span)?,
            number("longitude_span", self.longitude_span)?,
        )
    }
}

/// A part of a list, as the document shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described")]
pub(super) struct PageQuery {
    /// at most so many; 10,000 if not given, and at most
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// what `next` was in the part before
    after: Option<i64>,
}

/// A number as any language prints it (`5.4567E-2`, `1e+2`).
pub(super) fn number(field: &'static str, text: Option<&str>) -> Result<f64> {
    let text = text.ok_or_else(|| Error::field(field, Problem::Missing))?;
    // A `+` that was not percent-encoded arrives as a space.
    match text.replace(' ', "+").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Error::field(field, Problem::WrongType)),
    }
}

/// A map's zoom: 0 (the whole world) to 22.
pub(super) fn zoom(text: Option<&str>) -> Result<u8> {
    let text = text.ok_or_else(|| Error::field("zoom", Problem::Missing))?;
    match text.parse::<u8>() {
        Ok(zoom @ 0..=22) => Ok(zoom),
        _ => Err(Error::field("zoom", Problem::OutOfRange(0.0, 22.0))),
    }
}

/// The part of a list that `limit` and `after` ask for. A limit over the most is the most.
pub(super) fn page(limit: Option<&str>, after: Option<&str>) -> Result<PageRequest> {
    let limit = match limit.map(str::parse::<u64>) {
        None => MAX_LIST,
        Some(Ok(limit @ 1..)) => u32::try_from(limit).unwrap_or(MAX_LIST).min(MAX_LIST),
        Some(_) => {
            return Err(Error::field("limit", Problem::OutOfRange(1.0, MAX_LIST.into())));
        }
    };
    let after = after
        .map(str::parse::<i64>)
        .transpose()
        .map_err(|_| Error::field("after", Problem::WrongType))?;
    Ok(PageRequest { limit, after })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn a_number_is_read_as_any_language_prints_it(
        #[values("1e+1", "1E1", "10.", "+10", " 10", "1.0e 1", "10.000", "10")] text: &str,
    ) {
        assert_eq!(number("latitude", Some(text)).unwrap(), 10.0);
    }

    #[rstest]
    fn text_that_is_no_number_is_rejected(
        #[values(None, Some(""), Some("x"), Some("1,5"), Some("inf"), Some("NaN"), Some("1e999"))]
        text: Option<&str>,
    ) {
        assert!(number("latitude", text).is_err());
    }

    #[rstest]
    #[case(Some("0"), Some(0))]
    #[case(Some("22"), Some(22))]
    #[case(Some("23"), None)]
    #[case(Some("-1"), None)]
    #[case(Some("1.5"), None)]
    #[case(None, None)]
    fn a_zoom_is_a_whole_number_up_to_22(#[case] text: Option<&str>, #[case] expected: Option<u8>) {
        assert_eq!(zoom(text).ok(), expected);
    }

    #[rstest]
    #[case(None, Some(10_000))]
    #[case(Some("1"), Some(1))]
    #[case(Some("10001"), Some(10_000))]
    #[case(Some("18446744073709551615"), Some(10_000))]
    #[case(Some("18446744073709551616"), None)]
    #[case(Some("0"), None)]
    #[case(Some("-1"), None)]
    #[case(Some("x"), None)]
    #[case(Some("1.5"), None)]
    #[case(Some(""), None)]
    fn a_limit_is_from_1_and_at_most_10_000(
        #[case] text: Option<&str>,
        #[case] expected: Option<u32>,
    ) {
        assert_eq!(page(text, None).map(|page| page.limit).ok(), expected);
    }

    #[rstest]
    #[case(None, Some(None))]
    #[case(Some("-7"), Some(Some(-7)))]
    #[case(Some("x"), None)]
    #[case(Some("1.5"), None)]
    #[case(Some(""), None)]
    fn a_page_begins_after_a_whole_number(
        #[case] text: Option<&str>,
        #[case] expected: Option<Option<i64>>,
    ) {
        assert_eq!(page(None, text).map(|page| page.after).ok(), expected);
    }
}
