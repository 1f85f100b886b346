//! Many processes on one PostgreSQL database, and everything that can befall them.

mod connections;
mod hints;
mod killed;
mod killed_at_carrier;
mod mixed_seeds;
mod processes;
mod servers;
mod undone;
mod unheard;
mod wire;
mod world;
