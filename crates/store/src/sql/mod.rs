//! The portable SQL: written once, in text that both engines accept.
