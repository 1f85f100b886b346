//! Lines moved at their carriers: by themselves, within assignments, and whatever goes wrong.

mod faulty;
mod flows;
