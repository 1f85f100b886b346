//! Running a page.
