//! The log as CSV.

use crate::domain::audit_log::AuditEntry;
use crate::model::error::{Error, Result};

/// Tells spreadsheets that the file is in UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
const COLUMNS: [&str; 8] =
    ["time", "actor", "action", "account", "bottle", "reply", "until", "detail"];

/// Returns the line that names the columns.
pub(super) fn head() -> Result<Vec<u8>> {
    let line = record(&COLUMNS.map(str::to_owned))?;
    Ok([BYTE_ORDER_MARK.as_bytes(), &line].concat())
}

/// Returns the line of an entry.
pub(super) fn line(entry: AuditEntry) -> Result<Vec<u8>> {
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    record(&[
        entry.done_at.to_string(),
        as_text(entry.actor.unwrap_or_default()),
        entry.action.as_str().to_owned(),
        as_text(entry.user.map(|(_, username)| username).unwrap_or_default()),
        number(entry.bottle),
        number(entry.reply),
        entry.until.map(|until| until.to_string()).unwrap_or_default(),
        as_text(entry.detail.unwrap_or_default()),
    ])
}

/// Returns a cell that a spreadsheet does not take for a formula, as OWASP advises
/// (<https://owasp.org/www-community/attacks/CSV_Injection>): an apostrophe precedes its first
/// character.
fn as_text(cell: String) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}") } else { cell }
}

fn record(cells: &[String]) -> Result<Vec<u8>> {
    let failed = |e: String| Error::Internal(e);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(|e| failed(e.to_string()))?;
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=1+1", "'=1+1")]
    #[case("+49", "'+49")]
    #[case("-1", "'-1")]
    #[case("@SUM(A1)", "'@SUM(A1)")]
    #[case("＝1", "'＝1")]
    #[case("ada", "ada")]
    #[case("a=1", "a=1")]
    #[case("", "")]
    fn a_cell_is_no_formula(#[case] text: &str, #[case] cell: &str) {
        assert_eq!(as_text(text.to_owned()), cell);
    }
}
