pub mod document;
pub mod ground;
pub mod parts;
pub mod running;
pub mod services;
