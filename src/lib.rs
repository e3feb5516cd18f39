pub mod cli;
pub mod ground;
pub mod parts;
pub mod reading;
pub mod running;
