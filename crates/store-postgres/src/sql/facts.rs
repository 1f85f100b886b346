//! The narrow row by which a line is judged, as columns of a query.
