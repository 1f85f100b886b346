//! How far a bulk change is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CountsView;

/// How far a bulk change is: the data of the events `progress` and `done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Progress)]
pub struct ProgressView {
    /// Its status.
    #[schema(example = "PROCESSING")]
    pub status: String,
    /// Whether it waits for a start.
    #[serde(default)]
    pub held: bool,
    /// How many rows stand where.
    pub counts: CountsView,
    /// Rows that became final a second, lately; null: not known yet.
    #[schema(example = 5000.0)]
    pub devices_per_second: Option<f64>,
    /// Seconds until the last row is final if it goes on so; null: not known.
    #[schema(example = 42)]
    pub seconds_left: Option<u64>,
}
