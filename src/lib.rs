pub mod cli;
pub mod document;
pub mod ground;
pub mod parts;
pub mod reading;
pub mod running;
pub mod services;
