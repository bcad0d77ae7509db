//! A report read back.

use super::{Report, SCHEMA};

/// Reads a report.
///
/// # Errors
/// What is wrong with the text: no JSON, another schema, or a missing field, with line and column.
pub fn read(text: &[u8]) -> Result<Report, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let head: Head = serde_json::from_slice(text).map_err(|error| format!("no report: {error}"))?;
    if head.schema != SCHEMA {
        return Err(format!("the schema is {:?}, this program reads {SCHEMA:?}", head.schema));
    }
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
