//! Rev.io.
