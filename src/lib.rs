pub mod ground;
pub mod parts;
