//! The JSON of a bottle on the map.

use serde::Serialize;
use utoipa::ToSchema;

use super::items::write;
use super::view::LocationView;
use crate::domain::bottles::MapBottleRef;
use crate::model::error::Result;

/// A bottle on the map, without its message.
#[derive(Serialize, ToSchema)]
pub(super) struct MapBottleView<'a> {
    bottle_id: i64,
    style: u8,
    is_owner: bool,
    location: LocationView<'a>,
    /// present only if the bottle can be opened within this distance only, in metres
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    open_within_m: Option<u32>,
}

impl<'a> MapBottleView<'a> {
    /// Creates the view of a bottle for the account `viewer`.
    pub(super) fn new(bottle: &MapBottleRef<'a>, viewer: i64) -> Self {
        Self {
            bottle_id: bottle.id,
            style: bottle.style.number(),
            is_owner: bottle.owner == viewer,
            location: LocationView::new(bottle.formatted_address, bottle.position),
            open_within_m: bottle.open_within_m,
        }
    }

    /// Appends the bottle to `json`, in the same bytes as `serde_json` would write. `nearby` writes
    /// thousands of bottles, and `serde_json` would look for characters to escape in each name.
    pub(super) fn write_to(&self, json: &mut Vec<u8>) -> Result<()> {
        let Self { bottle_id, style, is_owner, location, open_within_m } = self;
        json.extend(br#"{"bottle_id":"#);
        write(json, bottle_id)?;
        json.extend(br#","style":"#);
        write(json, style)?;
        json.extend(br#","is_owner":"#);
        write(json, is_owner)?;
        json.extend(br#","location":{"formatted_address":"#);
        write(json, &location.formatted_address)?;
        json.extend(br#","latitude":"#);
        write(json, &location.latitude)?;
        json.extend(br#","longitude":"#);
        write(json, &location.longitude)?;
        json.push(b'}');
        if let Some(metres) = open_within_m {
            json.extend(br#","open_within_m":"#);
            write(json, metres)?;
        }
        json.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::model::fields::Style;
    use crate::model::geo::Position;

    #[rstest]
    #[case(1, 0, 7, "", 0.0, -0.1, None)]
    #[case(i64::MAX, 1, 8, "\"quoted\" \\ \n 海 🌊", 90.0, 1e-7, Some(1))]
    #[case(-1, 2, 7, "Harbour Street 7", 59.913_868_7, 10.752_245_4, Some(u32::MAX))]
    fn a_bottle_is_written_as_serde_writes_it(
        #[case] id: i64,
        #[case] style: i64,
        #[case] owner: i64,
        #[case] formatted_address: &str,
        #[case] latitude: f64,
        #[case] longitude: f64,
        #[case] open_within_m: Option<u32>,
    ) {
        let position = Position::new(latitude, longitude).unwrap();
        let style = Style::parse(style).unwrap();
        let bottle = MapBottleRef { id, owner, style, position, formatted_address, open_within_m };
        let view = MapBottleView::new(&bottle, 7);
        let mut written = Vec::new();
        view.write_to(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&view).unwrap());
    }
}
