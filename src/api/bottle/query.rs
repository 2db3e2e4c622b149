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
