//! Statements by name: the portable ones carry their text, of the tuned ones each engine has its own.

/// A statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// The same text on every engine.
    Portable(&'static str),
    /// The engine knows the text by this name: file and constant, as `pages::CLAIM_PAGE`.
    Tuned(&'static str),
}

impl From<&'static str> for Statement {
    fn from(text: &'static str) -> Self {
        Self::Portable(text)
    }
}

/// Declares the names of tuned statements, by file, and a list of them all.
macro_rules! tuned {
    ($(#[$about:meta])* $all:ident; $($file:ident: $($name:ident)*;)*) => {
        $(
            /// The tuned statements of that file.
            pub(crate) mod $file {
                use crate::statement::Statement;
                $(pub(crate) const $name: Statement = Statement::Tuned(concat!(stringify!($file), "::", stringify!($name)));)*
            }
        )*

        $(#[$about])*
        pub const $all: &[&str] = &[$($(concat!(stringify!($file), "::", stringify!($name)),)*)*];
    };
}
pub(crate) use tuned;
