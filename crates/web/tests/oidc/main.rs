//! Signing in at an OpenID provider: at a real one that the tests start, and at one that does whatever is wrong.

mod browser;
mod coming_back;
mod hostile;
mod identities;
mod provider;
mod second_factor;
mod signing;
mod tokens;
mod trouble;
mod world;
