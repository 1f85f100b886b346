//! Rev.io, simulated.
