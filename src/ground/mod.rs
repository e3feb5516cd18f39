//! What everything else stands on: texts and places in them, messages, secrets, values, time,
//! and the one reader of YAML.

pub mod clock;
pub mod diagnostic;
pub mod encode;
pub mod example;
pub mod file;
pub mod foreign;
pub mod given;
pub mod json;
pub mod jws;
pub mod log_command;
pub mod quantity;
pub mod random;
pub mod read;
pub mod regex;
pub mod secret;
pub mod source;
pub mod token;
pub mod value;
pub mod yaml;
