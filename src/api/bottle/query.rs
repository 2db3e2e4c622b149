//! Query parameters.

use rocket::FromForm;
use utoipa::IntoParams;

use crate::domain::bottles::{MAX_LIST, PageRequest};
use crate::model::error::{Error, Problem, Result};
use crate::model::geo::{Position, Rectangle};

/// The query parameters of a rectangle. They are text, so that a wrong one gets the contract's own
/// error.
#[derive(FromForm, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RectangleQuery<'r> {
    /// the latitude of the centre, in degrees
    #[param(value_type = f64, required = true, minimum = -90, maximum = 90)]
    latitude: Option<&'r str>,
    /// the longitude of the centre, in degrees
    #[param(value_type = f64, required = true, minimum = -180, maximum = 180)]
    longitude: Option<&'r str>,
    /// the distance from the centre to the northern and to the southern edge, in degrees
    #[param(value_type = f64, required = true, minimum = 0)]
    latitude_span: Option<&'r str>,
    /// the distance from the centre to the eastern and to the western edge, in degrees
    #[param(value_type = f64, required = true, minimum = 0)]
    longitude_span: Option<&'r str>,
}

impl RectangleQuery<'_> {
    /// Parses the parameters.
    pub(super) fn rectangle(&self) -> Result<Rectangle> {
        let latitude = parse_number("latitude", self.latitude)?;
        let center = Position::new(latitude, parse_number("longitude", self.longitude)?)?;
        Rectangle::new(
            center,
            parse_number("latitude_span", self.latitude_span)?,
            parse_number("longitude_span", self.longitude_span)?,
        )
    }
}

/// The query parameters of a page, as the OpenAPI document describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct PageQuery {
    /// the maximum number of items; 10,000 by default and at most
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// the cursor: `next` of the previous page
    after: Option<i64>,
}

/// Parses a finite number in the notation of any language (`5.4567E-2`, `1e+2`).
pub(super) fn parse_number(field: &'static str, text: Option<&str>) -> Result<f64> {
    let text = text.ok_or_else(|| Error::field(field, Problem::Missing))?;
    // A `+` that was not percent-encoded arrives as a space.
    match text.replace(' ', "+").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Error::field(field, Problem::WrongType)),
    }
}

/// Parses the id in the query parameter `field`.
pub(super) fn parse_id(field: &'static str, text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::field(field, Problem::WrongType))
}

/// Parses a map's zoom: 0 (the whole world) to 22.
pub(super) fn parse_zoom(text: Option<&str>) -> Result<u8> {
    let text = text.ok_or_else(|| Error::field("zoom", Problem::Missing))?;
    match text.parse::<u8>() {
        Ok(zoom @ 0..=22) => Ok(zoom),
        _ => Err(Error::field("zoom", Problem::OutOfRange(0.0, 22.0))),
    }
}

/// Parses the parameters of a page. A limit above [`MAX_LIST`] becomes [`MAX_LIST`].
pub(super) fn parse_page(limit: Option<&str>, after: Option<&str>) -> Result<PageRequest> {
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
        assert_eq!(parse_number("latitude", Some(text)).unwrap(), 10.0);
    }

    #[rstest]
    fn text_that_is_no_number_is_rejected(
        #[values(None, Some(""), Some("x"), Some("1,5"), Some("inf"), Some("NaN"), Some("1e999"))]
        text: Option<&str>,
    ) {
        assert!(parse_number("latitude", text).is_err());
    }

    #[rstest]
    #[case(Some("0"), Some(0))]
    #[case(Some("22"), Some(22))]
    #[case(Some("23"), None)]
    #[case(Some("-1"), None)]
    #[case(Some("1.5"), None)]
    #[case(None, None)]
    fn a_zoom_is_a_whole_number_up_to_22(#[case] text: Option<&str>, #[case] expected: Option<u8>) {
        assert_eq!(parse_zoom(text).ok(), expected);
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
        assert_eq!(parse_page(text, None).map(|page| page.limit).ok(), expected);
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
        assert_eq!(parse_page(None, text).map(|page| page.after).ok(), expected);
    }
}
